"""Location and interval over rounds. The round is the unit: values of one process are never pooled as independent.

The location is the Hodges-Lehmann estimate, the median of the averages of all pairs of rounds. A few processes in a
hundred are slower throughout (unlucky page placement) and must not move the result, as they would move a mean; the
plain median resists them as well, but wastes a third of the data. The interval inverts Wilcoxon's signed-rank test,
whose distribution is exact for any symmetric one (J. L. Hodges and E. L. Lehmann, "Estimates of location based on rank
tests", Annals of Mathematical Statistics 34, 1963; M. Hollander, D. A. Wolfe and E. Chicken, "Nonparametric
Statistical Methods", 3rd edition, 2013, section 3.3). Logarithms of paired ratios are close to symmetric.

All pairs of five rounds hold the location with 93.8 % only, so a 95 % interval needs six; with fewer rounds there is
none, and none is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import accumulate
from math import comb, nan, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95

MIN_ROUNDS = 6
"""The fewest rounds that give an interval at `CONFIDENCE`."""

MAD = 1.4826
"""Standard deviations of a normal distribution in a median absolute deviation."""

Floats = NDArray[np.float64]


class Bounded(NamedTuple):
    """A value between the bounds of its 95 % interval; NaN bounds where there are too few rounds for one."""

    value: float
    low: float
    high: float

    @classmethod
    def of_logs(cls, logs: Iterable[ArrayLike]) -> Bounded:
        """Return what these are the natural logarithms of."""
        return cls(*(float(np.exp(bound)) for bound in logs))


UNKNOWN = Bounded(nan, nan, nan)
"""Where there is nothing to estimate."""


def location(samples: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return estimate, low and high over the last axis; low and high are NaN with fewer than `MIN_ROUNDS` samples."""
    rounds = np.asarray(samples, dtype=np.float64)
    count = rounds.shape[-1]
    first, second = np.triu_indices(count)
    averages = np.sort((rounds[..., first] + rounds[..., second]) / 2, axis=-1)
    centre = np.median(averages, axis=-1)
    if count < MIN_ROUNDS:
        nothing = np.full_like(centre, np.nan)
        return centre, nothing, nothing
    rank = _rank(count)
    return centre, averages[..., rank - 1], averages[..., -rank]


def medians(values: ArrayLike) -> Floats:
    """Return the median over the last axis of what is no NaN; NaN where all is.

    One sort, and no call a row: a run of ten thousand cases has a million rows.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)  # NaN last
    if not np.any(np.isnan(ordered[..., -1])):
        count = ordered.shape[-1]
        return np.asarray((ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2)
    present = np.sum(~np.isnan(ordered), axis=-1, keepdims=True)
    low, high = (np.take_along_axis(ordered, index, axis=-1) for index in ((present - 1) // 2, present // 2))
    return np.asarray((low + high) / 2)[..., 0]


def paired(one: ArrayLike, other: ArrayLike) -> Floats:
    """Return by how much one exceeds the other: the median of the differences along the last axis, value by value.

    Where one has fewer values than the other, NaN in the place of the rest, it is the difference of their medians:
    pairs would leave most values of the faster side unused.
    """
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    differences = first - second
    found = medians(differences)
    if np.any(np.isnan(differences)):
        uneven = np.sum(np.isnan(first), axis=-1) != np.sum(np.isnan(second), axis=-1)
        found = np.where(uneven, medians(first) - medians(second), found)
    return found


def locations(samples: Iterable[ArrayLike]) -> Floats:
    """Return estimate, low and high of each sample, one a row: see `applied`."""
    return applied(samples, lambda alike: np.stack(location(alike), axis=-1))


def chances_of_sign(samples: Iterable[ArrayLike]) -> Floats:
    """Return `chance_of_sign` of each sample: see `applied`."""
    return applied(samples, chance_of_sign)


def applied(samples: Iterable[ArrayLike], function: Callable[[Floats], Floats]) -> Floats:
    """Apply a function of the last axis to all samples of a size at once.

    Each of `samples` is one, or has several as its rows; they may differ in their rounds.
    """
    known = [np.atleast_2d(np.asarray(several, dtype=np.float64)) for several in samples]
    shapes = np.array([several.shape for several in known], dtype=np.int64).reshape(-1, 2)
    sizes = np.repeat(shapes[:, 1], shapes[:, 0])
    found = {
        size: function(np.concatenate([several for several in known if several.shape[1] == size]))
        for size in np.unique(sizes).tolist()
    }
    merged = np.empty((sizes.size, *next(iter(found.values()), np.empty(0)).shape[1:]))
    for size, own in found.items():
        merged[sizes == size] = own
    return merged


def scatter(samples: ArrayLike) -> Floats:
    """Return the robust standard deviation over the last axis: `MAD` times the median distance from the median."""
    rounds = np.asarray(samples, dtype=np.float64)
    return MAD * medians(np.abs(rounds - medians(rounds)[..., np.newaxis]))


def chance_of_sign(samples: ArrayLike) -> Floats:
    """Return the p value of "the location is 0 or less", over the last axis: Wilcoxon's signed-rank test, exact.

    It is one-sided, and at most 2.5 % exactly where the lower bound of `location` is above 0. Ties count for the
    hypothesis.
    """
    rounds = np.asarray(samples, dtype=np.float64)
    count = rounds.shape[-1]
    first, second = np.triu_indices(count)
    against = np.count_nonzero(rounds[..., first] + rounds[..., second] <= 0, axis=-1)
    return np.asarray(_signed_rank(count)[against])


@cache
def _rank(count: int) -> int:
    """Return the rank, from 1, of the lower bound among the sorted averages of pairs."""
    return int(np.searchsorted(_signed_rank(count), (1 - CONFIDENCE) / 2, side="right"))


@cache
def _signed_rank(count: int) -> Floats:
    """Return the chances that the signed-rank statistic of n values is at most 0, 1, 2, ...

    It is the sum of the ranks 1 to n, each taken or not with probability 1/2.
    """
    chance = np.ones(1)
    for rank in range(1, count + 1):
        chance = (np.append(chance, np.zeros(rank)) + np.append(np.zeros(rank), chance)) / 2
    return np.cumsum(chance)


def shift(before: ArrayLike, after: ArrayLike) -> tuple[float, float, float]:
    """Return by how much `after` lies above `before`, with its interval; NaN bounds where there are too few rounds.

    The two are independent rounds of two runs. The estimate is Hodges and Lehmann's, the median of all differences; the
    interval inverts the Mann-Whitney test (E. L. Lehmann, "Nonparametrics", 1975, section 2.6).
    """
    differences = np.sort(np.subtract.outer(np.asarray(after, np.float64), np.asarray(before, np.float64)), axis=None)
    tail = _mann_whitney(np.size(before), np.size(after))
    rank = int(np.searchsorted(tail, (1 - CONFIDENCE) / 2, side="right"))
    centre = float(np.median(differences))
    if rank < 1:
        return centre, float("nan"), float("nan")
    return centre, float(differences[rank - 1]), float(differences[-rank])


def chance_of_excess(before: ArrayLike, after: ArrayLike, margin: float) -> float:
    """Return the p value of "`after` lies above `before` by `margin` or less": Mann and Whitney's, one-sided, exact.

    Ties count for the hypothesis.
    """
    differences = np.subtract.outer(np.asarray(after, np.float64), np.asarray(before, np.float64))
    below = int(np.count_nonzero(differences <= margin))
    return float(_mann_whitney(np.size(before), np.size(after))[below])


def holm(chances: ArrayLike) -> Floats:
    """Adjust p values so that the chance of one false rejection or more among all is bounded.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    p = np.asarray(chances, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def benjamini_hochberg(chances: ArrayLike) -> Floats:
    """Adjust p values, over the last axis, so that of rejections no larger share than the level is likely to be false.

    NaN is no hypothesis, and stays. Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate: a practical
    and powerful approach to multiple testing", Journal of the Royal Statistical Society B 57, 1995. Proven for
    independent tests, and for tests that err together in one direction (Y. Benjamini and D. Yekutieli, Annals of
    Statistics 29, 2001), as those of cases that share a yardstick do.
    """
    p = np.asarray(chances, dtype=np.float64)
    order = np.argsort(p, axis=-1, kind="stable")  # NaN last
    asked = np.sum(~np.isnan(p), axis=-1, keepdims=True)
    steps = np.take_along_axis(p, order, axis=-1) * asked / np.arange(1, p.shape[-1] + 1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.fmin.accumulate(steps[..., ::-1], axis=-1)[..., ::-1], axis=-1)
    return adjusted


@cache
def _mann_whitney(first: int, second: int) -> Floats:
    """Return the chances that Mann and Whitney's U of two samples of these sizes is at most 0, 1, 2, ...

    The numbers of ways are the coefficients of the Gaussian binomial, in whole numbers of any length.
    """
    ways = [1] + [0] * (first * second)
    for step in range(1, first + 1):
        for index in range(len(ways) - 1, second + step - 1, -1):
            ways[index] -= ways[index - second - step]
        for index in range(step, len(ways)):
            ways[index] += ways[index - step]
    total = comb(first + second, first)
    return np.array([each / total for each in accumulate(ways)])


def proportion(hits: int, trials: int) -> tuple[float, float, float]:
    """Return the share of hits, and Wilson's 95 % interval of what it would be in the long run.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22, 1927. It says something of a share of 0 as well.
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share = hits / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return share, max(0.0, centre - half), min(1.0, centre + half)
