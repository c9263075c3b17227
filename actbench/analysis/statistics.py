"""Estimates and confidence intervals over rounds. The round is the unit: values of one process are never pooled.

The estimate is that of Hodges and Lehmann, the median of the averages of all pairs of rounds. A few processes in a
hundred are slower throughout (by unlucky page placement), and must not shift the result as they would shift a mean. The
plain median resists them as well, but wastes a third of the data. The interval inverts Wilcoxon's signed-rank test,
whose distribution is exact for any symmetric one (J. L. Hodges and E. L. Lehmann, "Estimates of location based on rank
tests", Annals of Mathematical Statistics 34, 1963; M. Hollander, D. A. Wolfe and E. Chicken, "Nonparametric
Statistical Methods", 3rd edition, 2013, section 3.3). Logarithms of paired ratios are close to symmetric.

Five rounds give an interval with a confidence of 93.8 % at most, so a 95 % interval needs six; with fewer rounds there
is no interval.

scipy has both tests, and tests compare these functions with it. It has neither the interval nor tests of many samples
at once, and importing `scipy.stats` takes as long as a whole report: only functions that few commands call import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import accumulate
from math import comb, erfc, floor, nan, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actbench.analysis.interval import Interval

CONFIDENCE = 0.95

MIN_ROUNDS = 6
"""Smallest number of rounds with an interval at `CONFIDENCE`."""

MAD_SCALE = 1.4826
"""Factor from the median absolute deviation to the standard deviation of a normal distribution."""

MOST_COUNTED = 1_000_000
"""The square of the smaller sample's size, times the larger one's, up to which the Mann-Whitney test is exact.

Two samples of 100 are within it, and take a sixth of a second.
"""

Floats = NDArray[np.float64]


def hodges_lehmann(sample: ArrayLike) -> Interval:
    """Return the Hodges-Lehmann estimate of a sample, one value per round, with its interval.

    There are no bounds with fewer than `MIN_ROUNDS` values.
    """
    return Interval._make(_hodges_lehmann(np.asarray(sample, dtype=np.float64)).tolist())


def hodges_lehmann_rows(samples: Iterable[ArrayLike]) -> Floats:
    """Return estimate, low and high of each sample, one row each: see `apply_by_length`."""
    return apply_by_length(samples, _hodges_lehmann)


def intervals_of_logs(samples: Iterable[ArrayLike]) -> list[Interval]:
    """Return the exponentials of the `hodges_lehmann` intervals of samples of logarithms."""
    return Interval.from_rows(np.exp(hodges_lehmann_rows(samples)))


def _hodges_lehmann(samples: Floats) -> Floats:
    """Return estimate, low and high over the last axis, which they replace."""
    count = samples.shape[-1]
    first, second = _pairs(count)
    averages = np.sort((samples[..., first] + samples[..., second]) / 2, axis=-1)
    centre = _middle(averages)
    if count < MIN_ROUNDS:
        return np.stack([centre, *[np.full_like(centre, np.nan)] * 2], axis=-1)
    rank = _signed_rank_of_bound(count)
    return np.stack([centre, averages[..., rank - 1], averages[..., -rank]], axis=-1)


def medians(values: ArrayLike) -> Floats:
    """Return the median over the last axis of the values that are not NaN; NaN where all are.

    It takes one sort, and no call per row: a run of ten thousand cases has a million rows.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)  # NaN last
    if not np.any(np.isnan(ordered[..., -1])):
        return _middle(ordered)
    present = np.sum(~np.isnan(ordered), axis=-1, keepdims=True)
    low, high = (np.take_along_axis(ordered, index, axis=-1) for index in ((present - 1) // 2, present // 2))
    return np.asarray((low + high) / 2)[..., 0]


def _middle(ordered: Floats) -> Floats:
    """Return the median over the last axis of sorted numbers."""
    count = ordered.shape[-1]
    return np.asarray((ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2)


def median_differences(minuends: ArrayLike, subtrahends: ArrayLike) -> Floats:
    """Return the median over the last axis of the differences, value by value.

    Where one side has fewer values, padded with NaN, it is the difference of the medians instead: pairs would leave
    most values of the faster side unused.
    """
    first, second = np.asarray(minuends, dtype=np.float64), np.asarray(subtrahends, dtype=np.float64)
    differences = first - second
    middles = medians(differences)
    if np.any(np.isnan(differences)):
        uneven = np.sum(np.isnan(first), axis=-1) != np.sum(np.isnan(second), axis=-1)
        middles = np.where(uneven, medians(first) - medians(second), middles)
    return middles


def apply_by_length(samples: Iterable[ArrayLike], function: Callable[[Floats], Floats]) -> Floats:
    """Apply a function of the last axis to all samples of a length at once; one row per sample, in their order.

    Each of `samples` is one sample, or has several as its rows; they may differ in their rounds.
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    groups = [array if array.ndim > 1 else array[np.newaxis] for array in arrays]
    shapes = np.array([group.shape for group in groups], dtype=np.int64).reshape(-1, 2)
    lengths = np.repeat(shapes[:, 1], shapes[:, 0])
    results = {
        length: function(np.concatenate([group for group in groups if group.shape[1] == length]))
        for length in np.unique(lengths).tolist()
    }
    merged = np.empty((lengths.size, *next(iter(results.values()), np.empty(0)).shape[1:]))
    for length, rows in results.items():
        merged[lengths == length] = rows
    return merged


def mad_standard_deviation(samples: ArrayLike) -> Floats:
    """Return a robust standard deviation over the last axis: `MAD_SCALE` times the median absolute deviation."""
    rounds = np.asarray(samples, dtype=np.float64)
    return MAD_SCALE * medians(np.abs(rounds - medians(rounds)[..., np.newaxis]))


def signed_rank_p_value(samples: ArrayLike) -> Floats:
    """Return the p-value of "the median is 0 or less", over the last axis: Wilcoxon's signed-rank test, exact.

    It is one-sided, and at most 2.5 % exactly where the lower bound of `hodges_lehmann` is above 0. Ties count for the
    hypothesis.
    """
    rounds = np.asarray(samples, dtype=np.float64)
    count = rounds.shape[-1]
    first, second = _pairs(count)
    against = np.count_nonzero(rounds[..., first] + rounds[..., second] <= 0, axis=-1)
    return np.asarray(_signed_rank_distribution(count)[against])


def signed_rank_rows(samples: Iterable[ArrayLike]) -> Floats:
    """Return estimate, low and high of each sample, and the p-values of "the median is 0 or less", and "0 or more".

    See `hodges_lehmann`, `signed_rank_p_value` and `apply_by_length`.
    """
    return apply_by_length(
        samples,
        lambda rows: np.column_stack([_hodges_lehmann(rows), signed_rank_p_value(rows), signed_rank_p_value(-rows)]),
    )


@lru_cache(4)
def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of both values of every pair of this many, in which a value is beside itself, too."""
    first, second = np.triu_indices(count)
    return first, second


@cache
def _signed_rank_of_bound(count: int) -> int:
    """Return the rank, from 1, of the lower bound among the sorted averages of pairs."""
    return int(np.searchsorted(_signed_rank_distribution(count), (1 - CONFIDENCE) / 2, side="right"))


@cache
def _signed_rank_distribution(count: int) -> Floats:
    """Return the probabilities that the signed-rank statistic of `count` values is at most 0, 1, 2, ...

    It is the sum of the ranks 1 to `count`, each included with probability 1/2.
    """
    probability = np.ones(1)
    for rank in range(1, count + 1):
        probability = (np.append(probability, np.zeros(rank)) + np.append(np.zeros(rank), probability)) / 2
    return np.cumsum(probability)


def hodges_lehmann_shift(before: ArrayLike, after: ArrayLike) -> Interval:
    """Return the shift from `before` to `after`, with its interval; without bounds where there are too few rounds.

    The two are independent rounds of two runs. The estimate is that of Hodges and Lehmann, the median of all
    differences; the interval inverts the Mann-Whitney test (E. L. Lehmann, "Nonparametrics", 1975, section 2.6), which
    is as exact as `mann_whitney_p_value`.
    """
    differences = np.sort(np.subtract.outer(np.asarray(after, np.float64), np.asarray(before, np.float64)), axis=None)
    rank = _mann_whitney_rank_of_bound(np.size(before), np.size(after))
    centre = float(np.median(differences))
    if rank < 1:
        return Interval(centre, nan, nan)
    return Interval(centre, float(differences[rank - 1]), float(differences[-rank]))


def mann_whitney_p_value(before: ArrayLike, after: ArrayLike, margin: float) -> float:
    """Return the p-value of "`after` exceeds `before` by `margin` or less": the one-sided Mann-Whitney test.

    Ties count for the hypothesis. It is exact up to `MOST_COUNTED`. Beyond, it is that of the normal approximation with
    continuity correction (Lehmann, section 1.3), which is within 2 % of it down to 2.5 %, and too large where it is
    smaller.
    """
    differences = np.subtract.outer(np.asarray(after, np.float64), np.asarray(before, np.float64))
    below = int(np.count_nonzero(differences <= margin))
    return _mann_whitney_at_most(below, np.size(before), np.size(after))


def _mann_whitney_at_most(u: int, first: int, second: int) -> float:
    """Return the probability that the Mann-Whitney U of two samples of these sizes is at most `u`."""
    if _is_counted(first, second):
        return float(_mann_whitney_distribution(*sorted((first, second)))[u])
    normal = _normal_mann_whitney(first, second)
    return erfc((normal.mean - u - 0.5) / normal.stdev / sqrt(2)) / 2


@cache
def _mann_whitney_rank_of_bound(first: int, second: int) -> int:
    """Return the rank, from 1, of the lower bound among the sorted differences; less than 1 where there is none."""
    level = (1 - CONFIDENCE) / 2
    if _is_counted(first, second):
        return int(np.searchsorted(_mann_whitney_distribution(*sorted((first, second))), level, side="right"))
    return floor(_normal_mann_whitney(first, second).inv_cdf(level) + 0.5)


def _is_counted(first: int, second: int) -> bool:
    return min(first, second) * first * second <= MOST_COUNTED


def _normal_mann_whitney(first: int, second: int) -> NormalDist:
    return NormalDist(first * second / 2, sqrt(first * second * (first + second + 1) / 12))


@cache
def _mann_whitney_distribution(first: int, second: int) -> Floats:
    """Return the probabilities that the Mann-Whitney U of two samples of these sizes is at most 0, 1, 2, ...

    The numbers of ways are the coefficients of the Gaussian binomial, in whole numbers of any length. The first sample
    is the smaller one, which takes the least time.
    """
    ways = [1] + [0] * (first * second)
    for step in range(1, first + 1):
        for index in range(len(ways) - 1, second + step - 1, -1):
            ways[index] -= ways[index - second - step]
        for index in range(step, len(ways)):
            ways[index] += ways[index - step]
    total = comb(first + second, first)
    return np.array([cumulative / total for cumulative in accumulate(ways)])


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p-values so that the probability of one or more false rejections among all is bounded.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def false_discovery_control(p_values: ArrayLike) -> Floats:
    """Adjust p-values, over the last axis, by Benjamini and Hochberg, which bounds the false discovery rate.

    NaN does not count as a test, and stays NaN. `scipy.stats.false_discovery_control`, with which tests compare this
    function, rejects NaN, and its import would make the report of a large run a tenth slower. The bound is proven for
    independent tests, and for tests that err together in one direction (Y. Benjamini and D. Yekutieli, Annals of
    Statistics 29, 2001), as the tests of cases that share a yardstick do.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, axis=-1, kind="stable")  # NaN last
    hypotheses = np.sum(~np.isnan(p), axis=-1, keepdims=True)
    steps = np.take_along_axis(p, order, axis=-1) * hypotheses / np.arange(1, p.shape[-1] + 1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.fmin.accumulate(steps[..., ::-1], axis=-1)[..., ::-1], axis=-1)
    return adjusted


def wilson_interval(hits: int, trials: int) -> Interval:
    """Return the share of hits with Wilson's interval of their probability, which is informative even for 0 hits.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22, 1927.
    """
    from scipy.stats import binomtest

    result = binomtest(hits, trials)
    bounds = result.proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(result.statistic), float(bounds.low), float(bounds.high))
