"""Pure Python: lists of floats, ``math``, and one call of the formula per element."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection
from operator import mul
from typing import Any, ClassVar

import numpy as np

from actbench.backends._keeping import forward_keeping, gated_forward_keeping
from actbench.backends._plain import Factory, Plain
from actbench.backends._rungs import COPY_RULE, PRODUCT_RULE, empty
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect, Formula, Rule


def derivative(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of g'."""

    def call(*residuals):
        return list(map(formula, *residuals))

    return call


def backward(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of dy * g'."""

    def call(dy, *residuals):
        return list(map(mul, dy, map(formula, *residuals)))

    return call


def step(formula: Formula, keeping: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the kernel of a step: forward, which keeps the residuals, then backward."""

    def call(z, dy):
        y, *residuals = keeping(z)
        return y, list(map(mul, dy, map(formula, *residuals)))

    return call


def products(dy: list[float], factors: Any) -> tuple[list[float], list[float]]:
    """Return dy times the first, and times the second of every pair of factors."""
    of_a, of_b = zip(*factors, strict=True)
    return list(map(mul, dy, of_a)), list(map(mul, dy, of_b))


def gated_backward(formula: Formula) -> Callable[..., Any]:
    """Return the kernel of both gradients of a gated activation."""

    def call(dy, *residuals):
        return products(dy, map(formula, *residuals))

    return call


def gated_step(formula: Formula, keeping: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return the kernel of a step of a gated activation."""

    def call(a, b, dy):
        y, *residuals = keeping(a, b)
        return y, *products(dy, map(formula, *residuals))

    return call


def over_list(forward: Formula) -> Callable[..., Any]:
    """Return the forward pass over a list, or over two of a gated activation, which returns y."""

    def call(*inputs):
        return list(map(forward, *inputs))

    return call


def saving(save: Formula) -> Callable[..., Any]:
    """Return the forward pass over a list, or over two, which returns y and the residuals."""

    def call(*inputs):
        return zip(*map(save, *inputs), strict=True)

    return call


def forward(keeping: Callable[..., Any]) -> Callable[..., Any]:
    """Forward, keeping the residuals."""

    def call(*inputs):
        return tuple(keeping(*inputs))

    return call


def dispatch(y) -> None:
    """Take the operand and do nothing."""


def allocation(y) -> list[float]:
    """Take the operand and make a list of its length."""
    return [0.0] * len(y)


class Python(Plain):
    """Lists and ``math``."""

    name = "python"
    summary = "lists and math, one call of the formula per element"
    dialect = Dialect.SCALAR
    dtypes = (Dtype.FLOAT64,)
    rank = 0
    places = False
    takes_arrays = False
    raises = True
    takes_gated = True
    only_wide = "Python's lists hold float64 only"
    planning_ns = 200.0
    factories: ClassVar = {Op.DERIVATIVE: derivative, Op.BACKWARD: backward}
    ladder: ClassVar = {
        "empty": empty,
        "dispatch": dispatch,
        "allocation": allocation,
        "loop": COPY_RULE,
        "arithmetic": PRODUCT_RULE,
    }

    def namespace(self) -> Any:
        """Return ``math``, which raises OverflowError where other namespaces return inf."""
        return math

    def executed_by(self, names: Collection[str]) -> tuple[str, ...]:
        """Return no distribution: the interpreter has all of ``math``."""
        del names
        return ()

    def adopt(self, array: Any) -> Any:
        """Return a list of Python floats."""
        return array.tolist()

    def step_factory(self, rule: Rule) -> Factory:
        """Return the factory that maps the formulas over lists."""
        return step, (rule.derivative, _keeping(rule))

    def gated_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of a call that returns both gradients."""
        return (
            (gated_step, (rule.derivative, _keeping(rule))) if op is Op.STEP else (gated_backward, (rule.derivative,))
        )

    def forward_factory(self, rule: Rule) -> Factory:
        """Return the factory of a forward pass that returns y and the residuals."""
        return forward, (_keeping(rule),)

    def operand_bytes(self, dtype: np.dtype[Any]) -> int:
        """Return the bytes of a list's entry, and of the float that it refers to."""
        return dtype.itemsize + sys.getsizeof(0.0)


def _keeping(rule: Rule) -> Callable[..., Any]:
    keeping = gated_forward_keeping if rule.is_gated else forward_keeping
    return keeping(rule.residuals, over_list(rule.forward), rule.save and saving(rule.save))
