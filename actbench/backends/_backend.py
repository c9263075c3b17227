"""The base class of backends, and code that several backends share."""

from __future__ import annotations

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from actbench.backends import _narrowing
from actbench.backends._along_rows import AlongRows
from actbench.backends._installed import is_installed
from actbench.backends._several_inputs import SeveralInputs
from actbench.backends._training import Passes, StepArrays, StepSpec, TrainingStep, writing
from actbench.errors import InputError
from actbench.formula import Activation, Weakness
from actbench.host import processors
from actbench.model import number_formats
from actbench.model.checks import Compiled
from actbench.model.names import Dtype, Op, Quantity, Storage
from actbench.model.networks import Network
from actbench.model.rule import Conversion, Dialect, Formula, Rule

if TYPE_CHECKING:
    from actbench.backends._autograd import Autograd


@dataclass(frozen=True, slots=True)
class Bound:
    """A kernel ready to be called, and how long it took to compile.

    It is ``function(*outputs, *inputs)`` where the backend preallocates. Otherwise it is ``function(*inputs)``, which
    returns the output, or a tuple of outputs.
    """

    function: Callable[..., Any]
    compile_seconds: float | None = None
    """Wall time of compiling or of loading from the compiler's cache; None where nothing is compiled."""
    from_cache: bool = False
    compiled: Any = None
    """The compiler's own object, where there is one: `function` is it, or the code that it compiled."""
    specialise: Callable[[tuple[Any, ...]], Bound] | None = None
    """Return the kernel for operands of one size, where the backend compiles for every size; otherwise None."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device whose own memory holds the operands."""

    name: str
    versions: dict[str, str]
    """The versions of its software, by name."""


class Backend(AlongRows, SeveralInputs, ABC):
    """A way to execute a formula over an array. Every subclass in this package is discovered, one small file each."""

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[str | None] = None
    """The distribution that must be installed, if any."""
    optional: ClassVar[bool] = False
    """Whether presets leave it out, and the extra that is named like the distribution installs it."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions a run with this backend records, in addition to those that every run records."""
    dialect: ClassVar[Dialect]
    dtypes: ClassVar[tuple[Dtype, ...]]
    rank: ClassVar[int]
    """Place in tables, from the plainest way to execute a formula to the most elaborate."""
    preallocates: ClassVar[bool] = False
    """Whether outputs are written into preallocated arrays; otherwise each call allocates them."""
    places: ClassVar[bool] = True
    """Whether operands are numpy arrays or views of them, placed for every value; otherwise made once per block."""
    fillable: ClassVar[bool] = True
    """Whether code of the user's can write results to arrays of this backend which it is handed."""
    takes_arrays: ClassVar[bool] = True
    """Whether operands are numpy's own arrays, so that its kernels can stand between numpy's products of matrices."""
    compiles_for_a_size: ClassVar[bool] = False
    """Whether a kernel is compiled anew for every size of its arrays."""
    protects: ClassVar[bool] = False
    """Whether calls accept operands that are marked read-only, so that no kernel can change what all arms share."""
    returns_operands: ClassVar[bool] = False
    """Whether its compiler returns an operand itself where nothing is to be computed, as dy times the derivative 1."""
    lacks: ClassVar[tuple[str, ...]] = ()
    """Functions of formulas that this backend lacks, or has in an unusable form."""
    lacks_far: ClassVar[tuple[str, ...]] = ()
    """Functions that it has for arguments of limited size: it executes no formula that reads z and calls one."""
    lacks_because: ClassVar[str | None] = None
    """Why they are unusable, where the backend has them."""
    flushes: ClassVar[str | None] = None
    """Why subnormal numbers become 0, where they do: the oracle then accepts 0 in place of a subnormal result."""
    conventions: ClassVar[str | None] = None
    """What the library's own kernels make of NaN and ±inf where that differs from actbench's formulas."""
    raises: ClassVar[bool] = False
    """Whether arithmetic raises where a number overflows, and does not give inf."""
    threaded: ClassVar[bool] = False
    """Whether several threads execute a call, in any case."""
    takes_threads: ClassVar[bool] = False
    """Whether the library has a pool of threads, of which one executes a call unless ``--threads`` asks for more."""
    on_device: ClassVar[bool] = False
    """Whether operands lie in another device's memory."""
    trains: ClassVar[bool] = False
    """Whether it has products of matrices, with which it trains networks."""
    has_activations: ClassVar[bool] = False
    """Whether the library has activations with a gradient, which strategy ``shipped`` executes."""
    library_gradients: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    """The activations and strategies for which `library_gradient` returns one; known without the library."""
    keeps_otherwise: ClassVar[str | None] = None
    """What its compiler makes of what an arm of a training step keeps, in a sentence; None where it leaves that."""
    without_second: ClassVar[str | None] = None
    """Why it computes no g'', where it executes no formulas."""
    only_wide: ClassVar[str | None] = None
    """Why residuals cannot be stored in a narrower type than the arithmetic's; None where they can."""
    planning_ns: ClassVar[float]
    """A rough upper bound, for planning only: nanoseconds per element of an op with an exponential."""
    ladder: ClassVar[Mapping[str, Callable[..., Any] | Rule | str]] = {}
    """By rung of the overhead ladder (`actbench.kernels.overhead`): a function, a formula, or why there is none."""

    @property
    def unavailable(self) -> str | None:
        """Why this backend cannot be used here, or None where it can. Imports nothing."""
        if self.requires is None or is_installed(self.requires):
            return None
        hint = f"; python -m pip install {self.requires}" if self.optional else ""
        return f"{self.requires} is not installed{hint}"

    def unsupported(self, dtype: Dtype) -> str | None:
        """Return why this backend does not compute in `dtype`, or None where it does."""
        if dtype not in self.dtypes:
            return f"{self.name} computes in {' and '.join(self.dtypes)} only"
        return number_formats.unavailable(dtype)

    def unsupported_strategy(self, activation: str, strategy: str) -> str | None:
        """Return why this backend does not execute a strategy of an activation, or None where it does."""
        del activation, strategy
        return None

    def weaknesses(self, activation: Activation, strategy: str, of: Quantity) -> tuple[Weakness, ...]:
        """Return what is known to be wrong of g' by a strategy as this backend computes it, or of y in its step."""
        del self
        known = activation.formulas
        return known.strategies[strategy].weaknesses if of is Quantity.DERIVATIVE else known.weaknesses

    def unsupported_storage(self, storage: Storage, dtype: Dtype) -> str | None:
        """Return why this backend cannot store residuals of `dtype` arithmetic as `storage`, or None where it can."""
        return storage.unsupported(dtype) or self.only_wide or number_formats.unavailable(storage)

    def conversion(self, storage: Storage, dtype: Dtype) -> Conversion:
        """Return the functions that narrow residuals to `storage` and widen them to `dtype`."""
        return _narrowing.by_astype(storage, dtype)

    def widening(self, dtype: Dtype) -> Conversion | None:
        """Return the conversions of a dtype where arrays have it and arithmetic is in a wider one; else None."""
        del dtype
        return None

    @abstractmethod
    def namespace(self) -> Any:
        """Return the namespace ``m`` of the formulas."""

    @abstractmethod
    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Return a callable over whole arrays."""

    @property
    def separates(self) -> bool:
        """Whether the forward pass can be called without the backward pass of a step."""
        return type(self).bind_forward is not Backend.bind_forward

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Return the forward pass alone.

        ``function(y, *stored, z)`` where the backend preallocates, `stored` being the arrays of residuals other than z
        and y; else ``function(z)``, which returns ``(y, *residuals)``. `InputError` where the backend cannot.
        """
        del rule, dtype
        raise InputError(f"backend '{self.name}' has no forward pass alone")

    def operand_bytes(self, dtype: np.dtype[Any]) -> int:
        """Return the bytes of memory that one element of an operand takes."""
        return dtype.itemsize

    def cache_bytes(self) -> int | None:
        """Return the bytes of the last cache of the device that has the operands; None for the processor's.

        `InputError` where there is a device that cannot be used.
        """
        return None

    @property
    def one_thread_works(self) -> bool:
        """Whether a call is executed by one thread of this process alone: by no others, and on no device."""
        several = self.threaded or (self.takes_threads and processors.threads_of_libraries() > 1)
        return not (several or self.on_device)

    @property
    def has_own_copy(self) -> bool:
        """Whether the yardstick of this backend's kernels is the backend's own copy instead of numpy's."""
        return self.threaded or self.on_device

    def device(self) -> Device | None:
        """Return the device in whose memory operands lie; None for the processor's memory."""
        return None

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Return ``copy(out, array)`` of what `adopt` returns: the yardstick of this backend's kernels."""
        del dtype
        return np.copyto

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call that ends when its results have been computed."""
        return function

    def bind_call(self, function: Callable[..., Any], dtype: Dtype) -> Bound:
        """Return a function of the overhead ladder, ready to be called on arrays of `dtype`."""
        del dtype
        return Bound(function)

    def library_gradient(self, activation: str, strategy: str) -> Formula | None:
        """Return the library's kernel for dy g', a function of dy and the residuals; None where it has none."""
        del activation, strategy
        return None

    def adopt(self, array: Any) -> Any:
        """Return a numpy array as an operand of this backend."""
        return array

    def read(self, operand: Any) -> None:
        """Read all elements of an operand, and return when that is done."""
        self.finish(operand.sum)()

    def alias(self, operand: Any) -> Any:
        """Return an operand for code of the user's alone: over the same memory, without a state that others see."""
        return operand

    def release(self, output: Any) -> Any:
        """Return an output of a call as a numpy array."""
        return np.asarray(output)

    def passes(self, rule: Rule, dtype: Dtype) -> Passes:
        """Return the activation of a training step, over arrays of any shape of the library that does the products."""
        forward, backward = self.bind_forward(rule, dtype).function, self.bind(Op.BACKWARD, rule, dtype).function
        if not self.preallocates:
            return Passes(forward, backward)
        widths = number_formats.numpy_dtype(rule.conversion.kept_in if rule.conversion else dtype)
        return writing(forward, backward, rule.residuals, widths, self.adopt)

    def ships(self, activation: str) -> str | None:
        """Return how the library itself calls an activation, with parameters, that it differentiates; None without."""
        del activation
        return None

    def unshipped(self, activation: str, dtype: Dtype | None = None) -> str | None:
        """Return why the library has no activation of its own, in a dtype, that can be timed; None where it has."""
        del activation, dtype
        return f"{self.name} has no activations of its own"

    def autograd(self, activation: str, dtype: Dtype) -> Autograd:
        """Return the library's own activation and its gradient; `InputError` where it has none."""
        raise InputError(f"{self.unshipped(activation, dtype)}")

    def training_step(self, spec: StepSpec, arrays: StepArrays) -> TrainingStep:
        """Return the training step of an arm, on arrays that it shares with others; for backends that train."""
        del spec, arrays
        raise InputError(f"backend '{self.name}' has no products of matrices to train networks with")

    @abstractmethod
    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the called functions, for `actbench show`."""

    def training_execution(self, network: Network, *, checkpoints: bool) -> str:
        """Return the source of what a training step executes beside its activation, for `actbench show`."""
        del network, checkpoints
        return source(type(self).training_step)

    def forward_execution(self, rule: Rule) -> str:
        """Return the source of the forward pass alone, for `actbench show`: of what makes it, or of what is called."""
        del rule
        return source(type(self).bind_forward)

    def executed_by(self, names: Collection[str]) -> tuple[str, ...] | None:
        """Return the distributions that execute formulas with these functions; None where code is generated."""
        del names
        return None

    def compiled(self, bound: Bound, op: Op, rule: Rule, dtype: Dtype) -> Compiled | None:
        """Return facts about the machine code of a bound kernel; None where nothing is compiled."""
        del bound, op, rule, dtype
        return None


def source(function: Callable[..., Any]) -> str:
    """Return a function's source, dedented."""
    return textwrap.dedent(inspect.getsource(function)).rstrip()
