"""The type of every estimate with a confidence interval."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import inf, isnan, nan
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Interval(NamedTuple):
    """An estimate and the bounds of its 95 % confidence interval; the bounds are NaN where there are too few rounds.

    It is a tuple, because a run of ten thousand cases has a million of them.
    """

    value: float
    low: float
    high: float

    @classmethod
    def from_logs(cls, logs: Iterable[ArrayLike]) -> Self:
        """Return the exponentials of an estimate and its bounds."""
        return cls(*(float(np.exp(log)) for log in logs))

    @classmethod
    def from_rows(cls, rows: NDArray[np.float64]) -> list[Self]:
        """Return the intervals of rows of a value and its bounds."""
        return [*map(partial(tuple.__new__, cls), rows.tolist())]

    @property
    def has_bounds(self) -> bool:
        """Whether there were enough rounds for an interval."""
        return not isnan(self.low)

    @property
    def half_width(self) -> float:
        """The longer distance from the value to a bound; inf without bounds."""
        value, low, high = self
        return inf if isnan(low) else max(high - value, value - low)

    @property
    def relative_half_width(self) -> float:
        """`half_width` over the value."""
        return self.half_width / self.value

    def contains(self, number: float) -> bool:
        """Return whether the interval includes a number; without bounds it includes none."""
        return self.low <= number <= self.high

    def excludes(self, number: float) -> bool:
        """Return whether a number lies outside the interval; without bounds none does."""
        return self.low > number or self.high < number

    def scaled(self, factor: float) -> Interval:
        """Return the interval of a positive multiple."""
        return Interval(factor * self.value, factor * self.low, factor * self.high)

    def times(self, factor: Interval) -> Interval:
        """Return the interval of the product of two positive quantities, which holds where both intervals do."""
        return Interval(self.value * factor.value, self.low * factor.low, self.high * factor.high)

    def inverse(self) -> Interval:
        """Return the interval of 1 over a positive quantity."""
        return Interval(1 / self.value, 1 / self.high, 1 / self.low)

    def negated(self) -> Interval:
        """Return the interval of the quantity with the opposite sign, such as a cost for a gain."""
        return Interval(-self.value, -self.high, -self.low)

    def complement(self) -> Interval:
        """Return the interval of 1 minus the quantity, such as the rest of a share."""
        return Interval(1 - self.value, 1 - self.high, 1 - self.low)


NO_ESTIMATE = Interval(nan, nan, nan)
"""The interval where there is nothing to estimate."""
