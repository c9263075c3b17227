"""The truth of an activation at many z, computed once for all kernels that are compared with it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from actbench.analysis.accuracy import Part, tail_of
from actbench.analysis.expectation import Expectation
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.model.names import Quantity
from actbench.model.number_formats import numpy_dtype
from actbench.verification import oracle
from actbench.verification.oracle import Truth
from actbench.verification.truth import unsupported

COMPANY = 64
"""Number of points that are differentiated together with any others, where g' is known by differences: these need many
points to estimate their own error."""

Row = tuple[Any, ...]
"""The truth at one z: nearest, rest, ulp, and slack if there is one."""


class Known:
    """The truth about one activation and dtype at every requested z, from a cache: g' and y together.

    Of an activation with g'' in place of g', it is g''.
    """

    def __init__(self, activation: Activation, points: Array) -> None:
        """Take the points at which every kernel is evaluated."""
        self.activation = activation
        self.points = points
        exactly = unsupported(activation) is None
        self._company = points[:0] if exactly else points[:: max(1, points.size // COMPANY)]
        self._slopes: dict[float, Row] = {}
        self._outputs: dict[float, Row] = {}
        self._digits: float | None = None
        self._residuals = lru_cache(maxsize=128)(self._residuals_at)
        self.expectations = cache(self._interpolated)

    def truth(self, quantity: Quantity, z: Array) -> Truth:
        """Return the derivative, or y; `BenchmarkError` where the definition raises."""
        self._learn(z)
        return self._joined(self._outputs if quantity is Quantity.FORWARD else self._slopes, z)

    def residuals(self, strategy: str, z: Array) -> dict[str, Array]:
        """Return the residuals of a strategy, correctly rounded."""
        return self._residuals(strategy, z.tobytes(), str(z.dtype))

    def _interpolated(self, quantity: Quantity) -> dict[Part, Expectation]:
        """Return the interpolated truth, by tail."""
        truth = self.truth(quantity, self.points)
        inside = {part: tail_of(self.points, part) for part in (Part.LEFT, Part.RIGHT)}
        return {part: Expectation(np.abs(self.points[mask]), truth.at(mask)) for part, mask in inside.items()}

    def _learn(self, z: Array) -> None:
        fresh = np.array([value for value in np.unique(z).tolist() if value not in self._slopes], dtype=z.dtype)
        if not fresh.size:
            return
        at = np.concatenate([fresh, self._company]) if fresh.size < COMPANY else fresh
        for rows, truth in zip((self._slopes, self._outputs), oracle.truth_at(self.activation, at), strict=True):
            rows.update(zip(fresh.tolist(), _rows(truth), strict=False))
            if self._digits is None:
                self._digits = truth.digits

    def _joined(self, rows: dict[float, Row], z: Array) -> Truth:
        nearest, *others = zip(*(rows[value] for value in z.tolist()), strict=True)
        rest, ulp, slack = map(np.array, others)
        return Truth(np.array(nearest, dtype=z.dtype), rest, ulp, slack if slack.any() else None, self._digits)

    def _residuals_at(self, strategy: str, data: bytes, dtype: str) -> dict[str, Array]:
        z = np.frombuffer(data, dtype=numpy_dtype(dtype))

        def y() -> Truth:
            first = self.activation.first
            return oracle.truth_at(first, z)[1] if first else self.truth(Quantity.FORWARD, z)

        return oracle.residuals_at(self.activation, strategy, z, y)


def _rows(truth: Truth) -> Iterable[Row]:
    slack = np.zeros(truth.nearest.size) if truth.slack is None else truth.slack
    columns = (truth.nearest, truth.rest, truth.ulp, slack)
    return zip(*(column.tolist() for column in columns), strict=True)
