"""The truth of row activations: y, and the gradient of z, as mpmath differentiates the definition in reverse.

Columns of a row with the same z and dy have the same gradient, unless one is the target's, so a row is evaluated on the
distinct ones and their counts. Errors are in units of the last place of the row's largest number, of what y or a
gradient is the sum of, since that cancels. Where a largest element is reduced by `m.max`, nothing flows through it:
what is subtracted lest an exponential overflow does not count as part of a gradient's sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from actbench.errors import BenchmarkError
from actbench.formula import Activation
from actbench.kernels import rows
from actbench.model import row_graph
from actbench.model.number_formats import limits
from actbench.model.row_graph import INPUT, NUMBER, PICK, REPLACE, Term
from actbench.model.rule import TARGET
from actbench.plugins import evaluating
from actbench.verification.truth import Array, Truth, nearest_to

PRECISION = 1400
"""Bits: what is left where digits cancel still has those of float64's smallest number."""

Numbers = list[Any]
"""One number of mpmath a column, or a single one of the row."""

MP = mpmath.mp

SUMS = ("+", "-")
"""Operations whose results may be smaller than what they are made of."""


@dataclass(frozen=True, slots=True)
class RowTruth:
    """The true numbers of rows by columns, and the units in which an error is relative to the row's largest."""

    truth: Truth
    unit: Array
    shape: tuple[int, ...]

    def error(self, computed: Array) -> Array:
        """Return |computed - truth| in units, rows by columns; inf where one is a number and the other is not."""
        return self.relative_to_largest().error(computed.reshape(-1)).reshape(self.shape)

    def relative_to_largest(self) -> Truth:
        """Return the truth with the units of rows in place of those of elements."""
        unit = self.unit.reshape(-1)
        with np.errstate(all="ignore"):
            return Truth(self.truth.nearest, self.truth.rest * (self.truth.ulp / unit), unit)

    def of_each(self, computed: Array) -> Array:
        """Return |computed - truth| in ULP of each element."""
        return self.truth.error(computed.reshape(-1)).reshape(self.shape)

    def after_first(self) -> RowTruth:
        """Return that of all rows but the first."""
        rows, columns = self.shape
        return RowTruth(self.truth.at(np.arange(columns, rows * columns)), self.unit[1:], (rows - 1, columns))

    @property
    def nearest(self) -> Array:
        """The numbers, rounded to the format."""
        return self.truth.nearest.reshape(self.shape)


@evaluating
def expected(activation: Activation, z: Array, dy: Array) -> tuple[RowTruth, RowTruth]:
    """Return the gradient of z, and y, of rows by columns; `BenchmarkError` where mpmath cannot evaluate a formula."""
    _, (output,) = row_graph.traced(activation.build(row_graph.TRACING).definition)
    gradients, outputs = [], []
    with mpmath.workprec(PRECISION):
        for of_row, upstream, is_target in zip(z, dy, _targets(activation, z), strict=True):
            columns = np.stack([of_row, np.broadcast_to(upstream, of_row.shape), is_target])
            distinct, place, counts = np.unique(columns, axis=1, return_inverse=True, return_counts=True)
            target = int(np.argmax(distinct[2]))
            row = _EvaluatedRow(output, [*map(mpmath.mpf, distinct[0].tolist())], counts.tolist(), target)
            gradient, size = row.gradient([*map(mpmath.mpf, distinct[1].tolist())])
            y = row.value(output)
            summands = output.arguments if output.operation in SUMS else ()
            scale = largest([*y, *(number for summand in summands for number in row.value(summand))])
            places = np.asarray(place).ravel()
            gradients.append(_of_row(gradient, size, places, z.dtype))
            outputs.append(_of_row(y, scale, places[:1] * 0 if output.per_row else places, z.dtype))
    return _of_rows(gradients), _of_rows(outputs)


def _targets(activation: Activation, z: Array) -> Array:
    """Return 1 in the column of every row's target, and 0 elsewhere, and where an activation has none."""
    are = np.zeros_like(z)
    for target in rows.inputs(activation, z)[1:]:
        np.put_along_axis(are, target, 1.0, axis=-1)
    return are


def _of_row(numbers: Numbers, scale: Any, places: Array, dtype: np.dtype[Any]) -> tuple[Truth, float]:
    """Return the truth of a row by column, from the distinct ones, and the unit of its errors."""
    (unit,) = nearest_to([scale], dtype).ulp
    return nearest_to(numbers, dtype).at(places), max(float(unit), float(limits(dtype).smallest_subnormal))


def _of_rows(rows: Sequence[tuple[Truth, float]]) -> RowTruth:
    nearest, rest, ulp = (
        np.concatenate([getattr(truth, name) for truth, _ in rows]) for name in ("nearest", "rest", "ulp")
    )
    shape = (len(rows), len(nearest) // len(rows))
    units = np.array([unit for _, unit in rows])[:, None]
    return RowTruth(Truth(nearest, rest, ulp), np.broadcast_to(units, shape), shape)


Partial = Callable[..., tuple[Any, ...]]


def quotient(a: Any, b: Any) -> Any:
    """Return a / b; NaN where b is 0."""
    return a / b if b else MP.nan


def real(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that gives NaN where its value is complex."""

    def of_real(a: Any) -> Any:
        value = function(a)
        return value if isinstance(value, mpmath.mpf) else MP.nan

    return of_real


FUNCTIONS: dict[str, tuple[Callable[..., Any], Partial]] = {
    "+": (lambda a, b: a + b, lambda *_: (MP.one, MP.one)),
    "-": (lambda a, b: a - b, lambda *_: (MP.one, -MP.one)),
    "*": (lambda a, b: a * b, lambda a, b, _: (b, a)),
    "/": (quotient, lambda _, b, y: (quotient(1, b), quotient(-y, b))),
    "exp": (mpmath.exp, lambda _, y: (y,)),
    "expm1": (mpmath.expm1, lambda _, y: (y + 1,)),
    "log": (real(mpmath.log), lambda a, _: (quotient(1, a),)),
    "log1p": (real(lambda a: mpmath.log(1 + a)), lambda a, _: (quotient(1, 1 + a),)),
    "sqrt": (real(mpmath.sqrt), lambda _, y: (quotient(1, 2 * y),)),
    "tanh": (mpmath.tanh, lambda _, y: (1 - y * y,)),
    "<": (lambda a, b: a < b, lambda *_: (MP.zero, MP.zero)),
    ">": (lambda a, b: a > b, lambda *_: (MP.zero, MP.zero)),
    "where": (lambda c, a, b: a if c else b, lambda c, *_: (MP.zero, MP.mpf(bool(c)), MP.mpf(not c))),
}
"""By operation, its value and its partial derivatives, from its arguments and, of these, its value."""


def largest(numbers: Numbers) -> Any:
    """Return the largest size among finite numbers; 0 where there is none."""
    return max((abs(number) for number in numbers if mpmath.isfinite(number)), default=MP.zero)


class _EvaluatedRow:
    """The values of the terms of one row on its distinct columns, and their adjoints."""

    def __init__(self, output: Term, z: Numbers, counts: Sequence[int], target: int) -> None:
        self._terms = [*row_graph.in_order([output])]
        self._output = output
        self._counts = counts
        self._is_target = [MP.mpf(column == target) for column in range(len(counts))]
        self._values: dict[Term, Numbers] = {}
        for term in self._terms:
            inputs = [target] if term.value == TARGET else z
            self._values[term] = inputs if term.operation == INPUT else self._evaluated(term)

    def value(self, term: Term) -> Numbers:
        """Return the numbers of a term: one a distinct column, or one of the row."""
        return self._values[term]

    def gradient(self, dy: Numbers) -> tuple[Numbers, Any]:
        """Return the gradient of z by distinct column, and the largest sum of the sizes of what it is the sum of."""
        width = len(self._counts)
        adjoint = {term: [MP.zero] * (1 if term.per_row else width) for term in self._terms}
        size = {term: [MP.zero] * (1 if term.per_row else width) for term in self._terms}
        adjoint[self._output] = dy[:1] if self._output.per_row else dy
        size[self._output] = [*map(abs, adjoint[self._output])]
        (z,) = (term for term in self._terms if term.operation == INPUT and term.value != TARGET)
        for term in reversed(self._terms):
            for argument, partials in zip(term.arguments, self._partials(term), strict=True):
                sums = argument.per_row and not term.per_row
                if argument.operation != NUMBER:
                    self._add(adjoint[argument], adjoint[term], partials, summed=sums)
                    if term.operation != "max":
                        self._add(size[argument], size[term], [*map(abs, partials)], summed=sums)
        return adjoint[z], largest(size[z])

    def _evaluated(self, term: Term) -> Numbers:
        if term.operation == NUMBER:
            return [mpmath.mpf(term.value)]
        if term.operation == "sum":
            (of,) = (self._values[argument] for argument in term.arguments)
            return [mpmath.fsum(count * one for count, one in zip(self._counts, of, strict=True))]
        if term.operation == "max":
            return [max(self._values[term.arguments[0]])]
        if term.operation in {PICK, REPLACE}:
            of, (target,), *put = (self._values[argument] for argument in term.arguments)
            return [of[target]] if term.operation == PICK else [*of[:target], *put[0], *of[target + 1 :]]
        if term.operation not in FUNCTIONS:
            raise BenchmarkError(f"the derivative of m.{term.operation} along rows is not known")
        function, _ = FUNCTIONS[term.operation]
        return [function(*arguments) for arguments in self._by_column(term)]

    def _partials(self, term: Term) -> list[Numbers]:
        """Return the derivatives of a term by each argument: as many numbers as the larger of both has."""
        if not term.arguments:
            return []
        width = len(self._counts)
        if term.operation == "sum":
            return [[MP.one] * width]
        if term.operation == "max":
            (top,), of = self._values[term], self._values[term.arguments[0]]
            alike = sum(count for count, one in zip(self._counts, of, strict=True) if one == top)
            return [[MP.one / alike if one == top else MP.zero for one in of]]
        if term.operation in {PICK, REPLACE}:
            elsewhere, none = [1 - there for there in self._is_target], [MP.zero] * (1 if term.per_row else width)
            return [self._is_target, none] if term.operation == PICK else [elsewhere, none, self._is_target]
        _, partial = FUNCTIONS[term.operation]
        values = self._values[term]
        by_column = [partial(*pair, y) for pair, y in zip(self._by_column(term), values, strict=True)]
        return [[*of_argument] for of_argument in zip(*by_column, strict=True)]

    def _by_column(self, term: Term) -> list[tuple[Any, ...]]:
        width = 1 if term.per_row else len(self._counts)
        return [*zip(*(self._wide(argument, width) for argument in term.arguments), strict=True)]

    def _wide(self, term: Term, width: int) -> Numbers:
        values = self._values[term]
        return values * width if len(values) < width else values

    def _add(self, total: Numbers, adjoint: Numbers, partials: Numbers, *, summed: bool) -> None:
        """Add what flows from a term to an argument: from all columns to what is one number a row."""
        width = max(len(adjoint), len(partials))
        wide = adjoint * width if len(adjoint) < width else adjoint
        flows = [one * by for one, by in zip(wide, partials, strict=True)]
        if summed:
            total[0] += mpmath.fsum(count * flow for count, flow in zip(self._counts, flows, strict=True))
            return
        for place, flow in enumerate(flows):
            total[place] += flow
