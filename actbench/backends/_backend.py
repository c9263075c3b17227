"""What a backend is: how a formula is executed over an array."""

from __future__ import annotations

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from actbench.backends import _narrowing
from actbench.model.checks import Compiled
from actbench.model.names import Dtype, Op, Storage
from actbench.model.rule import Conversion, Dialect, Formula, Rule


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
    specialise: Callable[[tuple[Any, ...]], Bound] | None = None
    """From operands of some size to what is called for that size, where a backend compiles for every size anew."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where arrays are, if not in the processor's memory."""

    name: str
    versions: dict[str, str]
    """Of the software that drives it, by name."""


class Backend(ABC):
    """How a formula is executed over an array. Subclasses are found by discovery, one small file each."""

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[str | None] = None
    """The distribution that must be installed, if any."""
    optional: ClassVar[bool] = False
    """Whether it is a peer that an extra of the same name as the distribution brings, and presets leave it out."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions are recorded where this backend is used, beyond those that always are."""
    dialect: ClassVar[Dialect]
    dtypes: ClassVar[tuple[Dtype, ...]]
    rank: ClassVar[int]
    """Place in tables, from the plainest way to execute a formula to the most elaborate."""
    preallocates: ClassVar[bool] = False
    """Whether outputs are written into arrays made beforehand, or allocated by each call."""
    places: ClassVar[bool] = True
    """Whether operands are numpy arrays or views of them, placed anew for every value, or made once a block."""
    compiles_for_a_size: ClassVar[bool] = False
    """Whether a kernel is compiled anew for every size of its arrays."""
    protects: ClassVar[bool] = False
    """Whether calls take operands that are marked read-only, so that no kernel can change what all arms share."""
    lacks: ClassVar[tuple[str, ...]] = ()
    """Functions of formulas that this backend has no name for, or none that can be used."""
    lacks_because: ClassVar[str | None] = None
    """Why they cannot be used, where it has the name."""
    flushes: ClassVar[str | None] = None
    """Why denormal numbers become 0, where they do: the oracle then takes 0 for what is next to nothing."""
    threaded: ClassVar[bool] = False
    """Whether a call is executed by several threads."""
    on_device: ClassVar[bool] = False
    """Whether operands lie in another device's memory."""
    only_wide: ClassVar[str | None] = None
    """Why residuals cannot be kept in a narrower type than the arithmetic's, where they cannot."""
    planning_ns: ClassVar[float]
    """A rough upper figure for planning alone: nanoseconds per element of an op with an exponential."""
    ladder: ClassVar[Mapping[str, Callable[..., Any] | Rule | str]] = {}
    """By rung of the overhead ladder (`actbench.kernels.overhead`): the function, the formula, or why there is none."""

    @property
    def unavailable(self) -> str | None:
        """Why this backend cannot be used here, or None; found without importing anything."""
        if self.requires is None or find_spec(self.requires) is not None:
            return None
        hint = f"; python -m pip install {self.requires}" if self.optional else ""
        return f"{self.requires} is not installed{hint}"

    def refusal(self, dtype: Dtype) -> str | None:
        """Why this backend does not compute in `dtype`, or None when it does."""
        return None if dtype in self.dtypes else f"{self.name} computes in {' and '.join(self.dtypes)} only"

    def storage_refusal(self, storage: Storage, dtype: Dtype) -> str | None:
        """Why this backend does not keep residuals of arithmetic in `dtype` as `storage`, or None when it does."""
        return storage.obstacle(dtype) or self.only_wide or _narrowing.unavailable(storage)

    def conversion(self, storage: Storage, dtype: Dtype) -> Conversion:
        """Return how it does."""
        return _narrowing.by_astype(storage, dtype)

    @abstractmethod
    def namespace(self) -> Any:
        """Return what the formulas find as ``m``."""

    @abstractmethod
    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Return a callable over whole arrays."""

    @property
    def has_own_copy(self) -> bool:
        """Whether the copy that kernels of this backend are held against is another than numpy's."""
        return self.threaded or self.on_device

    def device(self) -> Device | None:
        """Return the device in whose memory operands lie; None where that is the processor's."""
        return None

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Return ``copy(out, array)``, the plain copy that kernels of this backend are held against.

        Both are what `adopt` returns where the backend has its own, else numpy's arrays.
        """
        del dtype
        return np.copyto

    def bind_call(self, function: Callable[..., Any], dtype: Dtype) -> Bound:
        """Return a callable of a function of the ladder, over arrays of `dtype`."""
        del dtype
        return Bound(function)

    def library_gradient(self, activation: str, strategy: str) -> Formula | None:
        """Return the library's kernel for dy * g', a function of (dy, *residuals); None where it has none."""
        del activation, strategy
        return None

    def adopt(self, array: Any) -> Any:
        """Return a numpy array as this backend's own kind of operand."""
        return array

    def release(self, output: Any) -> Any:
        """Return what a call returned as a numpy array."""
        return np.asarray(output)

    @abstractmethod
    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of what is called, for people to read."""

    def compiled(self, bound: Bound, op: Op, rule: Rule, dtype: Dtype) -> Compiled | None:
        """Return what the compiler made of a kernel that was bound; None where nothing is compiled."""
        del bound, op, rule, dtype
        return None


def empty() -> None:
    """Do nothing."""


def same(y: Any) -> Any:
    """Return y."""
    return y


def product(y: Any) -> Any:
    """Return y (1 - y)."""
    return y * (1.0 - y)


COPY = Rule(forward=same, derivative=same, save=None)
"""The ladder's `loop`, where it is executed as any formula is."""

PRODUCT = Rule(forward=product, derivative=product, save=None)
"""The ladder's `arithmetic`."""


def source(function: Callable[..., Any]) -> str:
    """Return a function's source, dedented."""
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def keep(
    residuals: tuple[str, ...], forward: Callable[[Any], Any], save: Callable[[Any], Any] | None
) -> Callable[[Any], Any]:
    """Return a forward pass over a whole array that hands on what it keeps: z -> (y, residual, ...)."""
    match residuals:
        case ("z", _) if save:

            def keeping(z: Any) -> Any:
                y, saved = save(z)
                return y, z, saved

        case _ if save:
            return save

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
