"""Pure Python: lists of floats, ``math``, and one call of the formula per element."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Sequence
from operator import mul
from typing import Any, ClassVar

import numpy as np

from actbench.backends._keeping import keeping_of
from actbench.backends._listing import sources
from actbench.backends._plain import Factory, Plain
from actbench.backends._row_functions import forward_of, function_of, passes_of
from actbench.backends._row_notation import RowNotation
from actbench.backends._row_passes import Pass
from actbench.backends._rungs import COPY_RULE, PRODUCT_RULE, empty
from actbench.model.names import Dtype, Op
from actbench.model.row_graph import TRACING, per_row
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


def in_rows(kernel: Callable[..., Any], writes: Sequence[str], per_row: Collection[str]) -> Callable[..., Any]:
    """Return the call of a row activation, which makes the lists that its loops over rows fill."""

    def call(*inputs):
        columns = max(len(array[0]) for array in inputs)
        written = [[[0.0] * (1 if name in per_row else columns) for _ in inputs[0]] for name in writes]
        kernel(*written, *inputs)
        return tuple(written) if len(written) > 1 else written[0]

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


ROWS = RowNotation(
    element="{name}[r][{column}]",
    start={"sum": ["added_{name} = []"], "max": ["{name} = lowest"]},
    block={},
    reduce={"sum": "added_{name}.append({value})", "max": "{name} = max({name}, {value})"},
    after_block={},
    end={"sum": ["{name} = fsum(added_{name})"], "max": []},
    names_numbers=False,
)
"""Loops over rows, whose sums are rounded once."""


def where(condition, x, y) -> Any:
    """Return x where the condition holds, otherwise y."""
    return x if condition else y


ROW_SCOPE = {"span": range, "fsum": math.fsum, "lowest": -math.inf, "where": where}


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
    takes_rows = True
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

    def read(self, operand: Any) -> None:
        """Read all floats of a list, or of a list of rows."""
        for row in operand if isinstance(operand[0], list) else [operand]:
            sum(row)

    def row_namespace(self) -> Any:
        """Return the namespace that traces formulas: the loops over rows are laid out from what they are made of."""
        return TRACING

    def in_rows(self, array: Any, rows: int) -> Any:
        """Return a list as lists of as many elements."""
        columns = len(array) // rows
        return [array[start : start + columns] for start in range(0, len(array), columns)]

    def row_factory(self, op: Op, rule: Rule) -> Factory:
        """Return the factory of a call of loops over rows, which are compiled from their source."""
        return in_rows, _made(passes_of(op, rule), rule)

    @staticmethod
    def _keeping_along_rows(rule: Rule) -> Callable[..., Any]:
        """Return the forward pass over lists of lists that returns y and the residuals."""
        call = in_rows(*_made([forward_of(rule)], rule))
        return keeping_of(rule, call, call if rule.save else None)

    def execution(self, op: Op, rule: Rule) -> str:
        """Return the source of the factory, and of the functions or of the loops over rows that its call uses."""
        if rule.is_row:
            return _of_rows(passes_of(op, rule))
        return super().execution(op, rule)

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
        return forward, (self._keeping_along_rows(rule) if rule.is_row else _keeping(rule),)

    def forward_execution(self, rule: Rule) -> str:
        """Return the source of the factory, and of the loops over rows that its call uses."""
        if rule.is_row:
            return _of_rows([forward_of(rule)])
        return super().forward_execution(rule)

    def operand_bytes(self, dtype: np.dtype[Any]) -> int:
        """Return the bytes of a list's entry, and of the float that it refers to."""
        return dtype.itemsize + sys.getsizeof(0.0)


def _made(passes: Sequence[Pass], rule: Rule) -> tuple[Callable[..., Any], tuple[str, ...], frozenset[str]]:
    """Return a compiled function of these passes over rows, what it writes, and what is one number a row."""
    function = function_of(passes, ROWS)
    kernel = function.made(ROW_SCOPE | {name: getattr(math, name) for name in function.functions}, "<rows>")
    return kernel, function.writes, per_row(rule)


def _of_rows(passes: Sequence[Pass]) -> str:
    """Return the source of a call that makes these passes over rows."""
    return f"{sources([in_rows])}\n\n{function_of(passes, ROWS).source}"


def _keeping(rule: Rule) -> Callable[..., Any]:
    return keeping_of(rule, over_list(rule.forward), rule.save and saving(rule.save))
