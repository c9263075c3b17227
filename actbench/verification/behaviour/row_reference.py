"""The reference of results of row activations: `recompute`, or the first that keeps the inputs alone, in float64.

A row is suspicious where an element of it is further from the reference than rounding allows, beside what the row's
largest is; the oracle evaluates the truth of the worst one. Where there is no reference but the strategy itself, it
evaluates that of a row that is drawn.
"""

from __future__ import annotations

import numpy as np

from actbench import activations, backends
from actbench.kernels import rows
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, Array, Operands
from actbench.model.checks import STATED_ULP
from actbench.model.number_formats import limits
from actbench.model.rule import Dialect
from actbench.verification.behaviour import NO_ELEMENTS, Elements

PIECE = 1 << 18
"""Elements that are evaluated at once, if a row is no longer."""

LONGEST = 1 << 13
"""Columns of the longest row that is drawn: the truth of a row takes a quarter of a millisecond a column."""


class RowReference:
    """The expected gradients and y on the operands of a block."""

    def __init__(self, operands: Operands) -> None:
        """Take the operands of a block, whose kernels share one activation."""
        self._operands = operands
        self._numpy = backends.built_in()["numpy"].row_namespace()

    def suspects(self, kernel: Kernel, result: Array, *, of_output: bool, drawn: bool) -> Elements:
        """Return the row that differs most from the reference, if one differs.

        If none does, and the reference is no other formula, a row is `drawn` where that is wanted.
        """
        trusted = _trusted(kernel)
        worst = self._worst(kernel, result, of_output=of_output) if of_output or trusted else NO_ELEMENTS
        is_independent = activations.is_built_in(kernel.activation) or trusted not in {None, kernel.strategy}
        if worst.z.size or is_independent or not drawn or result.size > LONGEST * self._operands.rows:
            return worst
        return self.row(kernel, int(np.random.default_rng().integers(self._operands.rows)), result)

    def _worst(self, kernel: Kernel, result: Array, *, of_output: bool) -> Elements:
        """Return the row that differs most from the reference, if one differs."""
        z = self._operands.z.reshape(self._operands.rows, -1)
        dy = self._upstream(kernel)
        computed = result.reshape(len(z), -1)
        at_once = max(1, PIECE // z.shape[1])
        worst = (0.0, 0)
        for start in range(0, len(z), at_once):
            piece = slice(start, start + at_once)
            off = self._off(kernel, z[piece], dy[piece], computed[piece], of_output=of_output)
            worst = max(worst, (float(off.max()), start + int(np.argmax(off))))
        return self.row(kernel, worst[1], result) if worst[0] > STATED_ULP else NO_ELEMENTS

    def at(self, kernel: Kernel, index: int, result: Array) -> Elements:
        """Return the row of a result that an element is in."""
        return self.row(kernel, index // (result.size // self._operands.rows), result)

    def row(self, kernel: Kernel, row: int, result: Array) -> Elements:
        """Return a row of a result, with its inputs."""
        count = self._operands.rows
        z = self._operands.z.reshape(count, -1)[row]
        computed = result.reshape(count, -1)[row].copy()  # the next arm overwrites it
        return Elements(z, np.broadcast_to(self._upstream(kernel)[row], z.shape).copy(), computed)

    def _upstream(self, kernel: Kernel) -> Array:
        one_a_row = "dy" in rows.per_row(kernel.activation, kernel.strategy)
        return self._operands.array(DY._replace(per_row=one_a_row)).reshape(self._operands.rows, -1)

    def _off(self, kernel: Kernel, z: Array, dy: Array, computed: Array, *, of_output: bool) -> Array:
        """Return the largest distance from the reference in each row, in eps of the row's largest.

        Where y is one number an element, a gradient may be a difference of numbers as large as y times dy.
        """
        strategy = _trusted(kernel) or next(iter(kernel.formulas.strategies))  # any has the forward function
        rule = kernel.activation.rule(strategy, Dialect.ARRAY, self._numpy)
        _, *targets = rows.inputs(kernel.activation, z)
        wide, up = z.astype(np.float64), dy.astype(np.float64)
        with np.errstate(all="ignore"):
            y = rule.forward(wide, *targets)
            expected = y if of_output else rule.derivative(up, wide, *targets)
            scale = _largest(expected)
            if not of_output and y.shape == wide.shape:
                scale = np.maximum(scale, _largest(y) * _largest(up))
            off = np.abs(computed - expected) / (scale * float(limits(z.dtype).eps))
            off = np.where(np.isnan(off), np.where(np.isnan(computed) == np.isnan(expected), 0.0, np.inf), off)
        return np.asarray(off.max(axis=-1))


def _largest(numbers: Array) -> Array:
    """Return the largest size of a finite number in each row."""
    sizes: Array = np.where(np.isfinite(numbers), np.abs(numbers), 0.0).max(axis=-1, keepdims=True)
    return sizes


def _trusted(kernel: Kernel) -> str | None:
    """Return the strategy whose formula serves as reference: one that keeps the inputs alone; None where none does."""
    rules = {name: kernel.activation.rule(name, Dialect.ARRAY, None) for name in kernel.formulas.strategies}
    keeping_inputs = [name for name, rule in rules.items() if rule.residuals == rule.inputs]
    return "recompute" if "recompute" in keeping_inputs else next(iter(keeping_inputs), None)
