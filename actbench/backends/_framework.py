"""The base of array libraries: a formula over the library's arrays, eager, or compiled for every size."""

from __future__ import annotations

import inspect
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actbench.backends._backend import Backend, Bound, forward_keeping
from actbench.backends._listing import sources
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect, Formula, Rule


def product(formula: Formula) -> Callable[..., Any]:
    """Dy * g'."""

    def gradient(dy, *residuals):
        return dy * formula(*residuals)

    return gradient


def derivative(gradient: Callable[..., Any], one: Any) -> Callable[..., Any]:
    """G' from the library's kernel for dy * g'; dy is a single 1, broadcast, so that no array is read for it."""

    def call(*residuals):
        return gradient(one, *residuals)

    return call


def step(gradient: Callable[..., Any], keeping: Callable[[Any], Any]) -> Callable[..., Any]:
    """Forward, keeping the residuals; then backward."""

    def call(z, dy):
        y, *residuals = keeping(z)
        return y, gradient(dy, *residuals)

    return call


class Framework(Backend):
    """An array library with array expressions."""

    dialect = Dialect.ARRAY
    dtypes = (Dtype.FLOAT32, Dtype.FLOAT64)
    optional = True

    @abstractmethod
    def unit(self, dtype: Dtype) -> Any:
        """Return 1 as an array without dimensions."""

    def build(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of arrays as this library executes it."""
        return function

    def finish(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call that ends when its results are computed."""
        return function

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Call the formula on the library's arrays, whose dtype Python's literals take."""
        if not self.compiles_for_a_size:
            return Bound(self._function(op, rule, dtype))

        def specialise(operands: tuple[Any, ...]) -> Bound:
            start = time.perf_counter()
            bound = self.compile(self._function(op, rule, dtype), operands)
            return replace(bound, compile_seconds=time.perf_counter() - start)

        return Bound(self._function(op, rule, dtype), specialise=specialise)

    def compile(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> Bound:
        """Compile by a first call."""
        function(*operands)
        return Bound(function)

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of what is called around the formula, or around the library's kernel in its place."""
        around = {Op.DERIVATIVE: derivative if rule.library_gradient else None, Op.BACKWARD: None, Op.STEP: step}[op]
        gradient = None if rule.library_gradient or op is Op.DERIVATIVE else product
        parts = [sources(part for part in (around, gradient) if part)] if around or gradient else []
        parts += [f"gradient = {inspect.unwrap(rule.library_gradient)}"] if rule.library_gradient else []
        return "\n\n".join(parts) or (
            "the formula itself, compiled" if self.compiles_for_a_size else "the formula itself"
        )

    def _function(self, op: Op, rule: Rule, dtype: Dtype) -> Callable[..., Any]:
        """Forward and backward of a step are two programs: elsewhere other layers are between them."""
        gradient = rule.library_gradient or self.build(product(rule.derivative))
        match op:
            case Op.DERIVATIVE:
                if rule.library_gradient:
                    return self.finish(derivative(rule.library_gradient, self.unit(dtype)))
                return self.finish(self.build(rule.derivative))
            case Op.BACKWARD:
                return self.finish(gradient)
            case Op.STEP:
                save = rule.save and self.build(rule.save)
                keeping = forward_keeping(rule.residuals, self.build(rule.forward), save)
                return self.finish(step(gradient, keeping))
