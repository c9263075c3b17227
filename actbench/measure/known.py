"""The truth of an activation at many z, computed once for all kernels that are compared with it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from actbench.analysis.accuracy import Part, tail_of
from actbench.analysis.expectation import Expectation
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.verification import oracle
from actbench.verification.oracle import Truth
from actbench.verification.truth import unsupported

COMPANY = 64
"""Number of points that are differentiated together with any others, where g' is known by differences: these need many
points to estimate their own error."""

Row = tuple[Any, ...]
"""The truth at one z: nearest, rest, ulp, and slack if there is one."""


class Known:
    """The truth about one activation and dtype at every requested z, from a cache."""

    def __init__(self, activation: Activation, points: Array, *, outputs: bool) -> None:
        """Take the points at which every kernel is evaluated; `outputs` is whether y is needed as well."""
        self.activation = activation
        self.points = points
        self._outputs = outputs
        exactly = unsupported(activation) is None
        self._company = points[:0] if exactly else points[:: max(1, points.size // COMPANY)]
        self._slopes: dict[float, Row] = {}
        self._forward: dict[float, Row] = {}
        self._digits: float | None = None
        self._residuals = lru_cache(maxsize=128)(self._residuals_at)

    def truth(self, z: Array) -> Truth:
        """Return g'; `BenchmarkError` where the definition raises."""
        self._learn(z)
        return self._joined(self._slopes, z)

    def residuals(self, strategy: str, z: Array) -> dict[str, Array]:
        """Return the residuals of a strategy, correctly rounded."""
        return self._residuals(strategy, z.tobytes(), str(z.dtype))

    @cached_property
    def expectations(self) -> dict[Part, Expectation]:
        """The interpolated g', by tail."""
        truth = self.truth(self.points)
        inside = {part: tail_of(self.points, part) for part in (Part.LEFT, Part.RIGHT)}
        return {part: Expectation(np.abs(self.points[mask]), truth.at(mask)) for part, mask in inside.items()}

    def _learn(self, z: Array) -> None:
        fresh = np.array([value for value in np.unique(z).tolist() if value not in self._slopes], dtype=z.dtype)
        if not fresh.size:
            return
        at = np.concatenate([fresh, self._company]) if fresh.size < COMPANY else fresh
        if self._outputs:
            slopes, outputs = oracle.truth_at(self.activation, at)
            self._forward.update(zip(fresh.tolist(), _rows(outputs), strict=False))
        else:
            slopes = oracle.slopes_at(self.activation, at)
        if self._digits is None:
            self._digits = slopes.digits
        self._slopes.update(zip(fresh.tolist(), _rows(slopes), strict=False))

    def _joined(self, rows: dict[float, Row], z: Array) -> Truth:
        nearest, *others = zip(*(rows[value] for value in z.tolist()), strict=True)
        rest, ulp, slack = map(np.array, others)
        return Truth(np.array(nearest, dtype=z.dtype), rest, ulp, slack if slack.any() else None, self._digits)

    def _residuals_at(self, strategy: str, data: bytes, dtype: str) -> dict[str, Array]:
        z = np.frombuffer(data, dtype=dtype)

        def y() -> Truth:
            self._learn(z)
            return self._joined(self._forward, z)

        return oracle.residuals_at(self.activation, strategy, z, y)


def _rows(truth: Truth) -> Iterable[Row]:
    slack = np.zeros(truth.nearest.size) if truth.slack is None else truth.slack
    columns = (truth.nearest, truth.rest, truth.ulp, slack)
    return zip(*(column.tolist() for column in columns), strict=True)
