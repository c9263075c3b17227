"""Sequential estimates of a median: intervals and p-values that hold at any time, whenever a check stops.

A check evaluates its rounds as they arrive, and stops when it knows enough. Tests for a fixed number of rounds, used in
this way, are wrong far more often than they state. The tests here hold at all times at once, for any stopping rule
(A. Wald, "Sequential tests of statistical hypotheses", Annals of Mathematical Statistics 16, 1945; H. Robbins,
"Statistical methods related to the law of the iterated logarithm", ibid. 41, 1970; S. R. Howard and A. Ramdas,
"Sequential estimation of quantiles with applications to A/B testing and best-arm identification", Bernoulli 28, 2022).

They bet on the sign of every round. If the median is at most some value, a round lies above that value with probability
1/2 at most, so a stake on "above" has no expected gain. Stakes are averaged over all probabilities from 1/2 to 1. The
wealth after n rounds, k of them above, is then a fraction of whole numbers, and the probability that it ever reaches
1/alpha is at most alpha (Ville's inequality). The only assumption is that rounds are independent; their distribution
does not matter. So the few processes in a hundred that are slow throughout cost no validity, and little power.
"""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from functools import cache
from itertools import count
from math import comb, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import CONFIDENCE

TAIL_PROBABILITY = Fraction(round(1000 * (1 - CONFIDENCE)), 1000) / 2
"""The probability that either bound of an interval misses the median."""


def median_interval(samples: ArrayLike, tail: Fraction = TAIL_PROBABILITY) -> Interval:
    """Return the median of any number of rounds with its interval; without bounds where there are too few rounds.

    The intervals after all rounds together contain the true median with 95 % probability, or 1 less twice another
    `tail`.
    """
    rounds = np.sort(np.asarray(samples, dtype=np.float64))
    centre = float(rounds[(rounds.size - 1) // 2] + rounds[rounds.size // 2]) / 2  # np.median takes ten times as long
    rank = fewest_above(rounds.size, tail)
    if rank is None:
        return Interval(centre, nan, nan)
    return Interval(centre, float(rounds[rounds.size - rank]), float(rounds[rank - 1]))


def sequential_p_value(samples: ArrayLike, value: float) -> float:
    """Return the p-value of "the median is at most `value`" for rounds in the order in which they came.

    It is the smallest one after any round; ties count for the hypothesis.
    """
    rounds = np.asarray(samples, dtype=np.float64)
    above: NDArray[np.int64] = np.cumsum(rounds > value)
    return min([1.0, *(_p_value(number, hits) for number, hits in enumerate(above.tolist(), start=1))])


@cache
def _p_value(rounds: int, above: int) -> float:
    """Return one over the `wealth`, rounded once; fractions take many times as long to compare as floats do."""
    return float(1 / wealth(rounds, above))


@cache
def wealth(rounds: int, above: int) -> Fraction:
    """Return the wealth from betting 1 on "above" after this many rounds, `above` of them above.

    It is the integral of (2p)^k (2 - 2p)^(n-k) over p uniform on [1/2, 1], which is a sum of binomial coefficients.
    """
    ways, term = 0, 1
    for index in range(above + 1):
        ways += term
        term = term * (rounds + 1 - index) // (index + 1)
    return Fraction(ways, (rounds + 1) * comb(rounds, above))


@cache
def fewest_above(rounds: int, level: Fraction = TAIL_PROBABILITY) -> int | None:
    """Return the fewest of `rounds` above a value that refute it as the median; None where even all do not."""
    above = bisect_left(range(rounds + 1), True, key=lambda hits: wealth(rounds, hits) * level >= 1)
    return above if above <= rounds else None


@cache
def fewest_rounds(level: float) -> int:
    """Return the number of rounds after which a p-value can be as small as `level`, if all of them are above."""
    return next(rounds for rounds in count(1) if wealth(rounds, rounds) * Fraction(level) >= 1)
