"""Kernels of the user's: callables over arrays or tensors, written in anything, and the decorator that declares them.

A kernel belongs to an activation and has a strategy name of its own. Several kernels may share a name, one for each op,
array type and dtype, such as two C functions for float32 and float64; they keep the same residuals then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from actbench.model.names import Dtype, Op
from actbench.model.weakness import Weakness

Function = Callable[..., Any]

OPS = (Op.DERIVATIVE, Op.BACKWARD)
"""What a kernel can compute. One that computes ``backward`` is also the second half of a ``step``."""

OUT = "out"
"""The parameter that receives an array for the result."""


class SavedTensors:
    """The context of an autograd function's backward pass: the tensors that its forward pass saved."""

    __slots__ = ("saved_tensors",)

    needs_input_grad = (True,)

    def __init__(self, saved: tuple[Any, ...]) -> None:
        """Take the tensors."""
        self.saved_tensors = saved

    def __getattr__(self, name: str) -> Any:
        """Explain what else an autograd function may look for: it gets what it keeps, and no forward pass ran."""
        raise AttributeError(f"ctx.{name}: a kernel has ctx.saved_tensors alone, write the value into its backward")


@dataclass(frozen=True, eq=False)
class KernelDeclaration:
    """A callable of the user's, with what it computes and takes."""

    activation: str
    """The activation's name, with parameters."""
    name: str
    """The name of its strategy."""
    declared: Any
    """What was declared: a callable, or a class with a `backward`, as a ``torch.autograd.Function`` is."""
    keeps: tuple[str, ...]
    """The names of its residuals, in the order of its parameters."""
    op: Op
    backends: tuple[str, ...]
    """The backends whose arrays it takes; the forward pass of a step is theirs."""
    dtypes: tuple[Dtype, ...]
    weaknesses: tuple[Weakness, ...] = ()
    summary: str = ""

    @cached_property
    def function(self) -> Function:
        """``f(*inputs)``, or a function with a parameter `out` beside these."""
        if not hasattr(self.declared, "backward"):
            function: Function = self.declared
            return function
        backward = self.declared.backward

        def call(dy: Any, *kept: Any) -> Any:
            result = backward(SavedTensors(kept), dy)
            return result[0] if isinstance(result, tuple) else result

        return call

    @property
    def compiler(self) -> str | None:
        """What compiled it, where it is a Python function that something compiled, such as numba."""
        library = type(self.declared).__module__.partition(".")[0]
        return library if library == "numba" else None

    @cached_property
    def out_place(self) -> int | None:
        """Where among its positional parameters the result's array goes; None where it returns a new array."""
        names = [name for name, parameter in self._parameters.items() if parameter.kind in POSITIONAL]
        return names.index(OUT) if OUT in names[: self.inputs + 1] else None

    @property
    def fills(self) -> bool:
        """Whether it fills an array that it is given, and does not return a new one."""
        return OUT in self._parameters

    @property
    def inputs(self) -> int:
        """The number of arrays that it reads."""
        return len(self.keeps) + (self.op is Op.BACKWARD)

    def arguments(self, out: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of one call of `positional`, with the array for the result where it takes that."""
        if not self.fills:
            return inputs
        place = self.inputs if self.out_place is None else self.out_place
        return (*inputs[:place], out, *inputs[place:])

    @cached_property
    def positional(self) -> Function:
        """The function, with all its arguments positional."""
        function = self.function
        if not self.fills or self.out_place is not None:
            return function

        def call(*arguments: Any) -> Any:
            *inputs, out = arguments
            return function(*inputs, out=out)

        return call

    def covers(self, op: Op, backend: str, dtype: Dtype) -> bool:
        """Return whether it is called for an op on a backend's arrays of a dtype."""
        return self.computes(op) and backend in self.backends and dtype in self.dtypes

    def computes(self, op: Op) -> bool:
        """Return whether it is part of an op."""
        return op in {self.op, Op.STEP} if self.op is Op.BACKWARD else op is self.op

    def clashes(self, earlier: KernelDeclaration) -> bool:
        """Return whether an earlier kernel is called where this one would be."""
        return self.op is earlier.op and any(
            earlier.covers(self.op, backend, dtype) for backend in self.backends for dtype in self.dtypes
        )

    @cached_property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        try:
            return inspect.signature(self.function).parameters
        except (TypeError, ValueError):  # a function of C shows none
            return {}


POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class UserStrategy:
    """The user's kernels that share a strategy's name, and hence their residuals."""

    kernels: tuple[KernelDeclaration, ...]

    @property
    def keeps(self) -> tuple[str, ...]:
        """The names of the residuals."""
        return self.kernels[0].keeps

    @property
    def names_residuals(self) -> Function:
        """A function whose parameters name the residuals, as a formula's do; it cannot be called."""
        keeps = self.keeps

        def kernel(*residuals: Any) -> Any:
            del residuals
            raise TypeError("a kernel of the user's is no formula")

        parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in keeps]
        kernel.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect looks for
        return kernel

    def kernel(self, op: Op, backend: str, dtype: Dtype) -> KernelDeclaration | None:
        """Return the kernel that is called for an op on a backend's arrays of a dtype; None where there is none."""
        return next((kernel for kernel in self.kernels if kernel.covers(op, backend, dtype)), None)

    def limited(self, op: Op, backend: str) -> str:
        """Return, where it has no kernel, what it has for the op, as far as it has that; in words."""
        name = self.kernels[0].name
        computing = [kernel for kernel in self.kernels if kernel.computes(op)]
        if not computing:
            return f"'{name}' computes {' and '.join(dict.fromkeys(kernel.op for kernel in self.kernels))} only (op=)"
        here = [kernel for kernel in computing if backend in kernel.backends]
        if not here:
            taken = dict.fromkeys(name for kernel in computing for name in kernel.backends)
            return f"'{name}' takes arrays of {' and '.join(taken)} only (backends=)"
        return (
            f"'{name}' takes {' and '.join(dict.fromkeys(d for kernel in here for d in kernel.dtypes))} only (dtypes=)"
        )


def by_strategy(kernels: Iterable[KernelDeclaration]) -> Mapping[str, UserStrategy]:
    """Return kernels by the name of their strategy."""
    named: dict[str, tuple[KernelDeclaration, ...]] = {}
    for kernel in kernels:
        named[kernel.name] = (*named.get(kernel.name, ()), kernel)
    return {name: UserStrategy(those) for name, those in named.items()}


def kernel(  # noqa: PLR0913  # keywords, with the values that most kernels have
    activation: str,
    name: str,
    *,
    keeps: tuple[str, ...] = ("z",),
    op: str = Op.BACKWARD,
    backends: tuple[str, ...] = ("numpy",),
    dtypes: tuple[str, ...] = (Dtype.FLOAT64,),
    weaknesses: tuple[Weakness, ...] = (),
    summary: str | None = None,
) -> Callable[[Any], KernelDeclaration]:
    """Declare a kernel of yours for an activation, in a file or a package (``actbench run --load FILE.py``).

    The decorated callable may be a Python function over arrays, a function compiled by numba, a wrapper of a C function
    (ctypes, cffi, Cython), a function of tensors, or a ``torch.autograd.Function``, whose ``backward`` is then called.
    What Python cannot decorate is passed to the result: ``mine = kernel("gelu", "mine")(library.gelu_backward)``.

    It is called as ``f(dy, *kept)`` and computes dy g'(z), or with ``op="derivative"`` as ``f(*kept)``, which computes
    g'(z). All are arrays of one dimension, one size and one dtype, contiguous, from a multiple of 64 bytes on; it must
    not write to them. It returns a new array, or has a parameter ``out``, an array that it fills.

    Parameters
    ----------
    activation
        The activation's name, with parameters where it has them: ``"gelu"``, ``"elu:alpha=0.5"``.
    name
        The name of its strategy in ids and tables, which no built-in strategy may have.
    keeps
        What it reads of the forward pass, in the order of its parameters: ``z``, ``y``, or what a strategy of the
        activation saves, by name.
    op
        ``"backward"`` or ``"derivative"``. A backward kernel also makes the op ``step``, after the backend's own
        forward pass, which stores what the kernel keeps.
    backends
        The backends whose arrays it takes: ``"numpy"`` for arrays, ``"torch"`` for tensors, and so on.
    dtypes
        The dtypes that it takes: ``"float32"``, ``"float64"``, ... It never gets an array of another one.
    weaknesses
        Its known failures, as those of a `Strategy`.
    summary
        What it does, in a line; by default the first line of its docstring.

    Raises
    ------
    TypeError, ValueError
        For an argument of another form, an unknown op or dtype, or something that cannot be called.

    """
    for option, value in {"keeps": keeps, "backends": backends, "dtypes": dtypes}.items():
        if not isinstance(value, tuple) or not value or not all(isinstance(item, str) for item in value):
            raise TypeError(f'{option}={value!r}: write a tuple of names, such as {option}=("{_EXAMPLES[option]}",)')
    if op not in OPS:
        raise ValueError(f"op={op!r}: a kernel computes {' or '.join(OPS)}")
    if unknown := [dtype for dtype in dtypes if dtype not in list(Dtype)]:
        raise ValueError(f"dtypes={dtypes!r}: there is no kernel in {unknown[0]}, only in {', '.join(Dtype)}")

    def declare(function: Any) -> KernelDeclaration:
        if not callable(function) or (inspect.isclass(function) and not hasattr(function, "backward")):
            raise TypeError(f"kernel '{name}' is {function!r}, which cannot be called as a kernel")
        first, _, _ = (summary or _documentation(function) or f"a kernel for {activation}").partition("\n")
        types = tuple(dict.fromkeys(map(Dtype, dtypes)))
        return KernelDeclaration(activation, name, function, keeps, Op(op), backends, types, weaknesses, first)

    return declare


_EXAMPLES = {"keeps": "z", "backends": "numpy", "dtypes": "float64"}


def _documentation(function: Any) -> str:
    """Return the docstring of a function or of a class, not that of the type of another callable."""
    if inspect.isroutine(function) or inspect.isclass(function) or hasattr(function, "__wrapped__"):
        return inspect.getdoc(function) or ""
    return ""
