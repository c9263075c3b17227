"""torch.compile: the formula as one loop, compiled to C++ for every size.

Every call checks that the compiled code still applies. Up to some thousand elements, that costs more than an eager
call.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, ClassVar

from actbench.backends._along_rows import LONG_ROW, added_in_turn
from actbench.backends._backend import Bound
from actbench.backends.torch import Torch, library
from actbench.formula import Activation, Flaw, Weakness
from actbench.model.names import Quantity
from actbench.model.rule import Formula

SHORTEST = 2
"""Numbers of float64 in the shortest vectors."""


def rounded_in_turn(z, *more) -> float:
    """Return the factor of errors of rows; `more` are the target, if there is one, and the format."""
    del more
    return added_in_turn(z.shape[-1], SHORTEST)


ADDED_IN_VECTORS = Weakness(
    Flaw.AMPLIFIES,
    f"torch.compile adds the numbers of a row of {LONG_ROW} columns or more one vector after the other",
    rounded_in_turn,
)
"""Known of sums along rows in its loops; torch's own kernels add parts of a row first."""


def compiler() -> str:
    """Return the name of the C++ compiler that torch uses."""
    return os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")


class TorchCompile(Torch):
    """Compiled tensors."""

    name = "torch-compile"
    summary = "torch.compile: one fused loop in C++ (--threads), once for every size"
    rank = 55
    lacks: ClassVar[tuple[str, ...]] = ("expm1",)
    lacks_because: ClassVar[str | None] = "torch.compile's own is exp(x) - 1 in vectors, which is 0 for small x"
    compiles_for_a_size = True
    library_gradients = frozenset()
    keeps_otherwise = (
        "The compiler chooses what a step keeps: it may compute again what a strategy saves, and save what it computes "
        "again. Bytes are of what it saves."
    )
    returns_operands = True

    @property
    def unavailable(self) -> str | None:
        """Why this backend cannot be used here: it needs torch and a C++ compiler."""
        if reason := super().unavailable:
            return reason
        return None if shutil.which(compiler()) else f"torch.compile needs a C++ compiler: {compiler()} is not found"

    def weaknesses(self, activation: Activation, strategy: str, of: Quantity) -> tuple[Weakness, ...]:
        """Return what is known, and of activations along rows how compiled loops add."""
        known = super().weaknesses(activation, strategy, of)
        return (*known, ADDED_IN_VECTORS) if activation.is_row else known

    def library_gradient(self, activation: str, strategy: str) -> Formula | None:
        """Return None: the compiler would decompose the library's kernel into the formula."""
        del activation, strategy
        return None

    def build(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a copy of the function on its first call: torch limits how often it compiles one code object."""
        torch = library()
        from torch._functorch import config as differentiation
        from torch._inductor import config

        config.compile_threads = 1  # in this process, without a pool of processes
        if hasattr(differentiation, "donated_buffer"):  # since torch 2.6
            differentiation.donated_buffer = False  # a graph runs more than once, so that none may reuse what it saved
        code = function.__code__.replace()
        copy = FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)
        return torch.compile(copy, dynamic=False, fullgraph=True)  # type: ignore[no-any-return]

    def compile(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> Bound:
        """Compile by making a first call, or load from torch's cache."""
        from torch._dynamo.utils import counters

        misses = counters["inductor"]["fxgraph_cache_miss"]
        function(*operands)
        return Bound(function, from_cache=counters["inductor"]["fxgraph_cache_miss"] == misses)
