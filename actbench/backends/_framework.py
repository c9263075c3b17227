"""The base class for array libraries: a formula over the library's arrays, eager or compiled for every size."""

from __future__ import annotations

import inspect
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from actbench.backends._autograd import Autograd
from actbench.backends._backend import Backend, Bound
from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._keeping import forward_keeping, gated_forward_keeping, keeping_of, row_forward_keeping
from actbench.backends._layouts import Layout
from actbench.backends._listing import sources
from actbench.backends._shipped import Shipped, shipped
from actbench.backends._training import Passes
from actbench.errors import InputError
from actbench.model.names import NARROW, WIDE, Dtype, Op
from actbench.model.rule import Dialect, Formula, Rule


def product(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of dy * g'."""

    def gradient(dy, *residuals):
        return dy * formula(*residuals)

    return gradient


def gated_products(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of both gradients of a gated activation."""

    def gradients(dy, *residuals):
        of_a, of_b = formula(*residuals)
        return dy * of_a, dy * of_b

    return gradients


def derivative(gradient: Callable[..., Any], one: Any) -> Callable[..., Any]:
    """Return the kernel of g' from the library's kernel for dy * g'; dy is a broadcast 1, so that no array is read."""

    def call(*residuals):
        return gradient(one, *residuals)

    return call


def step(gradient: Callable[..., Any], keeping: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the kernel of a step: forward, which keeps the residuals, then backward."""

    def call(z, dy):
        y, *residuals = keeping(z)
        return y, gradient(dy, *residuals)

    return call


def gated_step(gradients: Callable[..., Any], keeping: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return the kernel of a step of a gated activation."""

    def call(a, b, dy):
        y, *residuals = keeping(a, b)
        return y, *gradients(dy, *residuals)

    return call


def row_step(gradient: Callable[..., Any], keeping: Callable[..., Any]) -> Callable[..., Any]:
    """Return the kernel of a step of a row activation, whose formula takes dy; dy is the last operand."""

    def call(*operands):
        y, *residuals = keeping(*operands[:-1])
        return y, gradient(operands[-1], *residuals)

    return call


def kept(rule: Rule) -> Callable[[Any, Any], tuple[Any, ...]] | None:
    """Return the function (z, y) -> residuals, narrow ones included; None for a strategy that saves what it computes.

    Narrow residuals of z and y come from these as well, though their rule has a function `save`.
    """
    names = [name.partition(":")[0] for name in rule.residuals]
    if {*names} - {"z", "y"}:
        return None
    from_y = [name == "y" for name in names]
    narrow = rule.conversion.narrow if rule.conversion else None

    def residuals(z, y):
        wide = [y if of_y else z for of_y in from_y]
        return tuple([narrow(residual) for residual in wide] if narrow else wide)

    return residuals


class Framework(Backend):
    """An array library with array expressions."""

    dialect = Dialect.ARRAY
    dtypes = (*NARROW, *WIDE)
    optional = True
    takes_arrays = False
    takes_gated = True
    takes_rows = True
    shipped: ClassVar[Mapping[str, Shipped]] = {}
    """The library's own activations by actbench's names."""

    def __init__(self) -> None:
        """Start without any of the library's own activations."""
        self._autograd: dict[tuple[str, Dtype], Autograd] = {}
        self._function_autograd: dict[tuple[str, Dtype], FunctionAutograd] = {}

    @abstractmethod
    def unit(self, dtype: Dtype) -> Any:
        """Return 1 as an array without dimensions."""

    def build(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of arrays in the form that this library executes."""
        return function

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Bind the formula to the library's arrays; Python's literals take the dtype of the arrays."""
        return self._bound(partial(self._function, op, rule, dtype))

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Call the forward pass alone, which returns y and what is kept."""
        del dtype
        return self._bound(lambda: self.finish(self._keeping(rule)))

    def passes(self, rule: Rule, dtype: Dtype) -> Passes:
        """Return the formulas themselves, for the library's automatic differentiation to call."""
        del dtype
        backward = rule.library_gradient or product(rule.derivative)
        return Passes(forward_keeping(rule.residuals, rule.forward, rule.save), backward, kept(rule))

    def ships(self, activation: str) -> str | None:
        """Return the call of the library's own function, as Python has it."""
        function = shipped(self.shipped, activation)
        return str(function) if function else None

    def autograd(self, activation: str, dtype: Dtype) -> Autograd:
        """Return the library's own function and its gradient; `InputError` where it has none."""
        key = activation, dtype
        if key not in self._autograd:
            function = shipped(self.shipped, activation)
            if function is None or self.unshipped(activation, dtype):
                raise InputError(f"{self.unshipped(activation, dtype)}")
            self._autograd[key] = self.differentiated(function, dtype)
        return self._autograd[key]

    def differentiated(self, function: Shipped, dtype: Dtype) -> Autograd:
        """Return one of the library's functions with the library's automatic differentiation."""
        del function, dtype
        raise InputError(f"backend '{self.name}' has no automatic differentiation")

    def function_autograd(self, activation: str, dtype: Dtype, inputs: tuple[str, ...]) -> FunctionAutograd:
        """Return the library's own function, along rows or of a and b, and its gradients; `InputError` without one."""
        key = activation, dtype
        if key not in self._function_autograd:
            function = shipped(self.shipped, activation)
            if function is None:
                raise InputError(f"{self.unshipped(activation)}")
            layout = function.layout(inputs)
            self._function_autograd[key] = self.differentiated_by_inputs(function, dtype, layout)
        return self._function_autograd[key]

    def differentiated_by_inputs(self, function: Shipped, dtype: Dtype, layout: Layout) -> FunctionAutograd:
        """Return one of the library's functions of such inputs with the library's automatic differentiation."""
        del function, dtype, layout
        raise InputError(f"backend '{self.name}' has no automatic differentiation")

    def unshipped(self, activation: str, dtype: Dtype | None = None) -> str | None:
        """Return why the library's own function cannot be timed, or that it has none; None where it can."""
        function = shipped(self.shipped, activation)
        if function is None:
            return f"{self.requires or self.name} has no {activation} of its own"
        if function.only_wide and dtype in NARROW:
            return f"{function} takes {' and '.join(WIDE)} only"
        return f"{function} returns its operand, and computes nothing" if activation == "identity" else None

    def shipped_function(self, activation: str) -> Callable[[Any], Any] | None:
        """Return the library's own function of z; None where it has none."""
        described = shipped(self.shipped, activation)
        return described.function() if described else None

    def _bound(self, make: Callable[[], Callable[..., Any]]) -> Bound:
        """Return what a function makes, made again for every size where this library compiles for one."""
        if not self.compiles_for_a_size:
            return Bound(make())

        def specialise(operands: tuple[Any, ...]) -> Bound:
            start = time.perf_counter()
            bound = self.compile(make(), operands)
            return replace(bound, compile_seconds=time.perf_counter() - start)

        return Bound(make(), specialise=specialise)

    def compile(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> Bound:
        """Compile by making a first call."""
        function(*operands)
        return Bound(function)

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source around the formula, or around the library's kernel that replaces it."""
        if rule.is_row:
            return sources([row_step]) if op is Op.STEP else "the formula itself, on rows by columns"
        if rule.is_gated:
            return sources([*([gated_step] if op is Op.STEP else []), gated_products])
        around = {Op.DERIVATIVE: derivative if rule.library_gradient else None, Op.BACKWARD: None, Op.STEP: step}[op]
        gradient = None if rule.library_gradient or op is Op.DERIVATIVE else product
        parts = [sources(part for part in (around, gradient) if part)] if around or gradient else []
        parts += [f"gradient = {inspect.unwrap(rule.library_gradient)}"] if rule.library_gradient else []
        return "\n\n".join(parts) or (
            "the formula itself, compiled" if self.compiles_for_a_size else "the formula itself"
        )

    def forward_execution(self, rule: Rule) -> str:
        """Return the source around the formula of the forward pass."""
        if rule.is_row:
            return sources([row_forward_keeping])
        return sources([gated_forward_keeping if rule.is_gated else forward_keeping])

    def _function(self, op: Op, rule: Rule, dtype: Dtype) -> Callable[..., Any]:
        """Return the function of an op. Forward and backward of a step stay two programs, as in a network."""
        if rule.is_row:
            gradient = self.build(rule.derivative)
            return self.finish(row_step(gradient, self._keeping(rule)) if op is Op.STEP else gradient)
        if rule.is_gated:
            gradients = self.build(gated_products(rule.derivative))
            return self.finish(gated_step(gradients, self._keeping(rule)) if op is Op.STEP else gradients)
        gradient = rule.library_gradient or self.build(product(rule.derivative))
        match op:
            case Op.DERIVATIVE | Op.SECOND:
                if rule.library_gradient:
                    return self.finish(derivative(rule.library_gradient, self.unit(dtype)))
                return self.finish(self.build(rule.derivative))
            case Op.BACKWARD:
                return self.finish(gradient)
            case Op.STEP:
                return self.finish(step(gradient, self._keeping(rule)))

    def _keeping(self, rule: Rule) -> Callable[..., Any]:
        forward, save = self.build(rule.forward), rule.save and self.build(rule.save)
        return keeping_of(rule, forward, save)
