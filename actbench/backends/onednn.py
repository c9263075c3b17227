"""oneDNN: its elementwise primitives, forward and backward, on one thread or as many as ``--threads`` names.

It executes no formulas. Strategy ``recompute`` is an algorithm whose backward pass reads z, and ``cached`` the one of
the same name with ``_use_dst_for_bwd``, which reads y. Primitives are made before anything is timed, and operands are
memory objects over numpy's arrays; a call is ``dnnl_primitive_execute`` and ``dnnl_stream_wait``, by ctypes.

oneDNN computes dy g' alone. A derivative is that of an array of ones, always the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from actbench.backends import _dnnl
from actbench.backends._backend import Backend, Bound
from actbench.backends._dnnl import DnnlMemory, EltwiseKind
from actbench.backends._listing import sources
from actbench.backends._onednn_algorithms import algorithm
from actbench.errors import InputError
from actbench.formula import Activation, Weakness
from actbench.host import processors
from actbench.model.names import Dtype, Op, Quantity
from actbench.model.rule import Dialect, Formula, Rule

DISTRIBUTION = "onednn-cpu-gomp"
"""oneDNN for processors, with the threads of GNU's OpenMP."""


@cache
def library() -> _dnnl.Dnnl:
    """Load oneDNN, with the threads that libraries have in this process; `InputError` where it is not installed."""
    file = _dnnl.path(DISTRIBUTION)
    if file is None:
        raise InputError(f"{DISTRIBUTION} is not installed; python -m pip install {DISTRIBUTION}")
    return _dnnl.Dnnl(file, processors.threads_of_libraries())


@dataclass(frozen=True, slots=True)
class Eltwise:
    """An algorithm with its numbers; called on dy and what it keeps, two arrays, it returns dy g'."""

    kind: EltwiseKind
    alpha: float
    beta: float

    def forward(self, size: int) -> Callable[..., None]:
        """Make ``call(y, z)``."""
        return library().forward(self.kind, self.alpha, self.beta, size)

    def backward(self, size: int) -> Callable[..., None]:
        """Make ``call(dz, dy, kept)``."""
        return library().backward(self.kind, self.alpha, self.beta, size)

    def __call__(self, dy: Any, kept: Any) -> Any:
        """Return dy g', of two numpy arrays."""
        result = np.empty_like(dy)
        self.backward(dy.size)(*map(library().memory, (result, dy, kept)))
        return result


def derivative(eltwise: Eltwise, size: int) -> Callable[..., None]:
    """Return the call of a derivative, which is dy g' of ones."""
    gradient, ones = eltwise.backward(size), library().memory(np.ones(size, np.float32))

    def call(out, kept):
        gradient(out, ones, kept)

    return call


def backward(eltwise: Eltwise, size: int) -> Callable[..., None]:
    """Return the call of a backward pass."""
    return eltwise.backward(size)


def step(eltwise: Eltwise, size: int) -> Callable[..., None]:
    """Return the call of a step: one primitive forward, and one back from z, or from y."""
    forward, gradient = eltwise.forward(size), eltwise.backward(size)
    from_y = eltwise.kind.kept is _dnnl.Role.DST

    def call(y, dz, z, dy):
        forward(y, z)
        gradient(dz, dy, y if from_y else z)

    return call


def forward(eltwise: Eltwise, size: int) -> Callable[..., None]:
    """Return the call of a forward pass."""
    return eltwise.forward(size)


CALLS = {Op.DERIVATIVE: derivative, Op.BACKWARD: backward, Op.STEP: step}


class OneDnn(Backend):
    """Primitives of oneDNN."""

    name = "onednn"
    summary = "oneDNN's own eltwise primitives (--threads); _use_dst_for_bwd where y is kept"
    requires = DISTRIBUTION
    libraries = (DISTRIBUTION,)
    optional = True
    dialect = Dialect.ARRAY
    dtypes = (Dtype.FLOAT32,)
    rank = 70
    preallocates = True
    takes_arrays = False
    takes_threads = True
    only_wide = "oneDNN's eltwise has one type for all of its arrays"
    flushes = "oneDNN's exponential is 0 below 1.5 times the smallest normal number"
    conventions = "at NaN and ±inf oneDNN has its own: relu, elu, exp and hard-sigmoid give numbers for NaN"
    without_second = "oneDNN's primitives compute y and g' alone"
    planning_ns = 3.0

    @property
    def unavailable(self) -> str | None:
        """Why this backend cannot be used here: the distribution is not installed, or lacks the library."""
        distribution = f"{self.requires}"
        if _dnnl.path(distribution) is not None:
            return None
        return f"{distribution} is not installed; python -m pip install {distribution}"

    def unsupported_strategy(self, activation: str, strategy: str) -> str | None:
        """Return that oneDNN has no algorithm for a strategy; None where it has one."""
        known = algorithm(activation)
        if known is None:
            return f"oneDNN has no {activation} among its eltwise algorithms"
        if known.kind(strategy) is not None:
            return None
        kinds = [kind.name for kind in (known.from_z, known.from_y) if kind]
        return f"oneDNN has {' and '.join(kinds)} alone: {'recompute and cached' if known.from_y else 'recompute'}"

    def library_gradient(self, activation: str, strategy: str) -> Formula | None:
        """Return the algorithm of a strategy."""
        return self.eltwise(activation, strategy)

    def eltwise(self, activation: str, strategy: str) -> Eltwise | None:
        """Return the algorithm of a strategy, with its numbers; None where oneDNN has none."""
        known = algorithm(activation)
        kind = known.kind(strategy) if known else None
        return Eltwise(kind, known.alpha, known.beta) if known and kind else None

    def weaknesses(self, activation: Activation, strategy: str, of: Quantity) -> tuple[Weakness, ...]:
        """Return what is known to be wrong of oneDNN's algorithm."""
        known = algorithm(activation.name)
        return known.weaknesses(activation, strategy, of) if known else super().weaknesses(activation, strategy, of)

    def namespace(self) -> Any:
        """Return nothing: no formula is executed."""
        return None

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Make the primitives of an op."""
        del dtype
        return self._bound(CALLS[op], rule)

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Make the primitive of the forward pass; `InputError` for a formula."""
        del dtype
        return self._bound(forward, rule)

    def _bound(self, make: Callable[[Eltwise, int], Callable[..., None]], rule: Rule) -> Bound:
        eltwise = rule.library_gradient
        if not isinstance(eltwise, Eltwise):
            raise InputError(f"backend '{self.name}' executes no formulas, only algorithms of its own")

        def specialise(operands: tuple[DnnlMemory, ...]) -> Bound:
            start = time.perf_counter()
            made = make(eltwise, operands[0].array.size)
            return Bound(made, time.perf_counter() - start)

        def call(*memories: DnnlMemory) -> None:
            make(eltwise, memories[0].array.size)(*memories)

        return Bound(call, specialise=specialise)

    def adopt(self, array: Any) -> Any:
        """Return a memory object over the array."""
        return library().memory(array)

    def read(self, operand: Any) -> None:
        """Read all elements of a memory object."""
        operand.array.sum()

    def release(self, output: Any) -> Any:
        """Return the array of a memory object."""
        return output.array if isinstance(output, DnnlMemory) else np.asarray(output)

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Return the forward pass of y = z, which has as many threads as the others."""
        del dtype
        copies = cache(Eltwise(EltwiseKind.eltwise_linear, 1.0, 0.0).forward)

        def copy(out: DnnlMemory, array: DnnlMemory) -> None:
            copies(array.array.size)(out, array)

        return copy

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the algorithm, and the source of what makes the call."""
        return f"eltwise = {rule.library_gradient}\n\n{sources([CALLS[op]])}"

    def forward_execution(self, rule: Rule) -> str:
        """Return the same of the forward pass alone."""
        return f"eltwise = {rule.library_gradient}\n\n{sources([forward])}"
