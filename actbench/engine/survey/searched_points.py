"""The z at which errors of g' are looked for: a sample at which the truth is computed, and what is searched beside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from actbench.engine.survey.interpolated import InterpolatedTruth, TruthAt, panels_on
from actbench.engine.survey.search import COARSE, Search, spread
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.model.names import Dtype
from actbench.model.number_formats import limits, numpy_dtype

EVEN = 401
"""Number of evenly spaced z of an interval."""

NEAR_ZERO = 40
"""Number of z towards 0 on either side, evenly spaced in the logarithm."""

SMALLEST = 1e-6
"""Of these, the one nearest to 0."""


def on_interval(activation: Activation, dtype: Dtype, low: float, high: float) -> Array:
    """Return z of an interval: evenly spaced ones, more of them near 0, both ends, and kinks.

    They and their neighbours are finite.
    """
    of_format = numpy_dtype(dtype)
    most = float(np.nextafter(np.array(limits(of_format).max, dtype=of_format), np.array(0, dtype=of_format)))
    low, high = (min(max(end, -most), most) for end in (low, high))
    near = np.geomspace(SMALLEST, max(abs(low), abs(high), 2 * SMALLEST), NEAR_ZERO)
    every = np.concatenate([2 * np.linspace(low / 2, high / 2, EVEN), -near, near, [0.0, *activation.formulas.kinks]])
    z = np.unique(every[(low <= every) & (every <= high)].astype(of_format))
    return np.asarray(z)


@dataclass(frozen=True, slots=True)
class SearchedPoints:
    """The z at which errors are looked for."""

    sample: Array
    """In ascending order, where the truth itself is computed."""
    count: int = COARSE
    """Number of further z, from the lowest to the highest of these."""
    drawn: Array | None = None
    """Further z in ascending order, in place of those: no z beside them counts."""

    def search(self, truth_at: TruthAt, kinks: Iterable[float]) -> Search | None:
        """Return the search for the largest errors, beyond the sample; None where there are no further z."""
        ends = (self.sample if self.drawn is None else self.drawn)[[0, -1]]
        truth = InterpolatedTruth(truth_at, panels_on(float(ends[0]), float(ends[1]), kinks), ends.dtype)
        further = spread(truth.panels, ends, self.count) if self.drawn is None else self.drawn
        around = ends if self.drawn is None else None
        search = Search(truth, further, kinks, around)
        return search if search.z.size else None
