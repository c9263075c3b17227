"""Survey of the accuracy of kernels of row activations: gradients, or y, by the spread of a row's z.

The spread is the largest z less the lowest; the target of every second row, where there are targets, has the largest.
Errors are in ULP of the row's largest, as `actbench.verification.truth.rows` has it, and beside that of each element,
where what cancels has few digits.
"""

from __future__ import annotations

from functools import cache
from math import isinf

import numpy as np

from actbench.analysis.accuracy import Errors, Part, RowAccuracy, bands, errors
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype
from actbench.model.rule import TARGETED
from actbench.verification import rows
from actbench.verification.evaluation import Evaluate
from actbench.verification.rows import Rows

COLUMNS = 50
"""Of a row."""

WIDEST = 1e4
"""The spread of the last band's rows, at most."""


def accuracy(kernel: Kernel, evaluate: Evaluate, points: int, seed: int) -> RowAccuracy:
    """Call a kernel on rows of every band of spreads, of about so many elements, and summarise its errors."""
    of_largest: list[Errors] = []
    of_each: list[Errors] = []
    for band, some in zip(bands(), _rows(kernel.activation, kernel.dtype, points, seed), strict=True):
        answer = evaluate(kernel.identity, some.z, some.dy)
        result = answer.derivative if kernel.op is not Op.STEP else answer.y
        assert result is not None  # noqa: S101  # a step has y
        truth = some.gradient if kernel.op is not Op.STEP else some.y
        spread = np.broadcast_to(np.ptp(some.z, axis=1, keepdims=True), truth.shape).reshape(-1)
        computed = result.reshape(-1)
        of_largest.append(errors(Part.SPREAD, band, spread, computed, truth.relative_to_largest()))
        of_each.append(errors(Part.EACH, band, spread, computed, truth.truth))
    return RowAccuracy(kernel.identity, tuple(of_largest), tuple(of_each), len(some.z), COLUMNS)


@cache
def _rows(activation: Activation, dtype: Dtype, points: int, seed: int) -> tuple[Rows, ...]:
    """Return rows of every band of spreads, with the truth."""
    rng, kind = np.random.default_rng(seed), numpy_dtype(dtype)
    count = -(-points // COLUMNS // 2)

    def of_band(low: float, high: float) -> Rows:
        spread = rng.uniform(low, WIDEST if isinf(high) else high, (count, 1))
        z = (rng.standard_normal((count, 1)) + spread * _from_0_to_1(rng, count)).astype(kind)
        if activation.formulas.inputs == TARGETED:
            z[::2] = rows.with_targets_on_top(z[::2])
        return rows.of(activation, z, rng.standard_normal(z.shape).astype(kind))

    return tuple(of_band(low, high) for low, high in bands())


def _from_0_to_1(rng: np.random.Generator, count: int) -> Array:
    """Return rows that have 0 and 1, and numbers between."""
    drawn = rng.uniform(size=(count, COLUMNS))
    drawn[:, :2] = 0.0, 1.0
    return rng.permuted(drawn, axis=1)
