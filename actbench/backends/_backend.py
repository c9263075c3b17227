"""What a backend is: how a formula is executed over an array."""

from __future__ import annotations

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

from actbench.formula import Dialect, Rule
from actbench.model import Dtype, Op


@dataclass(frozen=True, slots=True)
class Bound:
    """A kernel ready to be called, and what it took to get there.

    ``function(*outputs, *inputs)`` where the backend preallocates; else ``function(*inputs)``, which returns the
    output, or a tuple of them.
    """

    function: Callable[..., Any]
    compile_seconds: float | None = None
    """Wall time of compiling or of loading from the compiler's cache; None where nothing is compiled."""
    from_cache: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of a kernel, read off the generated code."""

    signature: str
    vector_bits: int
    """Width of the widest packed floating-point arithmetic; 0 if all of it is scalar."""
    library_calls: tuple[str, ...]
    double_conversions: int
    """Instructions that widen float32 to float64."""


class Backend(ABC):
    """How a formula is executed over an array. Subclasses are found by discovery, one small file each."""

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[str | None] = None
    """The distribution that must be installed, if any."""
    dialect: ClassVar[Dialect]
    dtypes: ClassVar[tuple[Dtype, ...]]
    rank: ClassVar[int]
    """Place in tables, from the plainest way to execute a formula to the most elaborate."""
    preallocates: ClassVar[bool] = False
    """Whether outputs are written into arrays made beforehand, or allocated by each call."""
    takes_arrays: ClassVar[bool] = True
    """Whether operands are numpy arrays, or made from them by `adopt`."""
    planning_ns: ClassVar[float]
    """A rough upper figure for planning alone: nanoseconds per element of an op with an exponential."""

    @property
    def unavailable(self) -> str | None:
        """Why this backend cannot be used here, or None; found without importing anything."""
        if self.requires is None or find_spec(self.requires) is not None:
            return None
        return f"{self.requires} is not installed"

    def refusal(self, dtype: Dtype) -> str | None:
        """Why this backend does not compute in `dtype`, or None when it does."""
        return None if dtype in self.dtypes else f"{self.name} computes in {' and '.join(self.dtypes)} only"

    @abstractmethod
    def namespace(self) -> Any:
        """Return what the formulas find as ``m``."""

    @abstractmethod
    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Return a callable over whole arrays."""

    def adopt(self, array: Any) -> Any:
        """Return a numpy array as this backend's own kind of operand, where it does not take arrays."""
        return array

    @abstractmethod
    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of what is called, for people to read."""

    def compiled(self, op: Op, rule: Rule, dtype: Dtype) -> Compiled | None:
        """Return what the compiler made of the kernel; None where nothing is compiled."""
        del op, rule, dtype
        return None


def source(function: Callable[..., Any]) -> str:
    """Return a function's source, dedented."""
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def keep(residuals: tuple[str, ...], forward: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a forward pass over a whole array that hands on what it keeps: z -> (y, residual, ...)."""
    match residuals:
        case ("z",):

            def keeping(z: Any) -> Any:
                return forward(z), z

        case ("y",):

            def keeping(z: Any) -> Any:
                y = forward(z)
                return y, y

        case _:

            def keeping(z: Any) -> Any:
                y = forward(z)
                return y, z, y

    return keeping
