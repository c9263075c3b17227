"""Medians that may be looked at after every round: intervals and p values that hold whenever one stops.

A check looks at its rounds as they come, and stops when it knows enough. Tests made for a fixed number of rounds are
wrong far more often than they say when they are used so. The ones here hold at every look at once, whatever made one
stop (A. Wald, "Sequential tests of statistical hypotheses", Annals of Mathematical Statistics 16, 1945; H. Robbins,
"Statistical methods related to the law of the iterated logarithm", ibid. 41, 1970; S. R. Howard and A. Ramdas,
"Sequential estimation of quantiles with applications to A/B testing and best-arm identification", Bernoulli 28, 2022).

They bet on the sign of every round. If the median is at most some value, a round lies above it with a chance of at most
1/2, and who stakes on "above" cannot expect to gain. Stakes are averaged over all chances from 1/2 to 1; the wealth
after n rounds, k of them above, is then a fraction of whole numbers, and the chance that it ever reaches 1/alpha is at
most alpha (Ville's inequality). Nothing is assumed of how rounds scatter, only that they do not depend on each other:
the few processes in a hundred that are slow throughout cost no validity, and little power.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import count
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actbench.analysis.statistics import CONFIDENCE

TAIL = Fraction(round(1000 * (1 - CONFIDENCE)), 1000) / 2
"""What either bound of an interval may miss."""


def median_interval(samples: ArrayLike) -> tuple[float, float, float]:
    """Return median, low and high of rounds in any number; NaN bounds where there are too few for any.

    All the intervals that one sees, round after round, hold the true median together with 95 %.
    """
    rounds = np.sort(np.asarray(samples, dtype=np.float64))
    centre = float(np.median(rounds))
    rank = needed(rounds.size)
    if rank is None:
        return centre, float("nan"), float("nan")
    return centre, float(rounds[rounds.size - rank]), float(rounds[rank - 1])


def chance_of_median_above(samples: ArrayLike, value: float) -> float:
    """Return the p value of "the median is at most `value`" for rounds in the order in which they came.

    It is that of the look with the strongest evidence; ties count for the hypothesis.
    """
    rounds = np.asarray(samples, dtype=np.float64)
    above: NDArray[np.int64] = np.cumsum(rounds > value)
    most = max((wealth(seen, found) for seen, found in enumerate(above.tolist(), start=1)), default=Fraction(1))
    return float(min(Fraction(1), 1 / most))


@cache
def wealth(rounds: int, above: int) -> Fraction:
    """Return what betting 1 on "above" has become after so many rounds, `above` of them above.

    The integral of (2p)^k (2 - 2p)^(n-k) over p uniform on [1/2, 1], which is a sum of binomial coefficients.
    """
    ways = sum(comb(rounds + 1, index) for index in range(above + 1))
    return Fraction(ways, (rounds + 1) * comb(rounds, above))


@cache
def needed(rounds: int, chance: Fraction = TAIL) -> int | None:
    """Return the fewest of `rounds` above a value that refute it as the median; None where even all do not."""
    return next((above for above in range(rounds + 1) if wealth(rounds, above) * chance >= 1), None)


@cache
def fewest_rounds(chance: float) -> int:
    """Return the rounds after which a p value can be as small as `chance`, if all of them are above."""
    return next(rounds for rounds in count(1) if wealth(rounds, rounds) * Fraction(chance) >= 1)
