"""Random-effects meta-analysis: one estimate for each host, and what they are together.

The variance between hosts is Paule and Mandel's (R. C. Paule and J. Mandel, "Consensus values and weighting factors",
Journal of Research of the National Bureau of Standards 87, 1982), the interval of the mean Hartung and Knapp's, never
shorter than without their factor (J. Hartung and G. Knapp, Statistics in Medicine 20, 2001; C. Röver, G. Knapp and
T. Friede, BMC Medical Research Methodology 15, 2015), the prediction interval that of J. P. T. Higgins, S. G. Thompson
and D. J. Spiegelhalter (Journal of the Royal Statistical Society A 172, 2009) with k - 1 degrees of freedom.

Cochran's Q takes the variances of the estimates as known, and calls hosts different far too often where each rests on
six rounds. The p-value is therefore that of Welch's test, which is Q corrected for the rounds (B. L. Welch, "On the
comparison of several mean values", Biometrika 38, 1951).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.statistics import CONFIDENCE, MIN_ROUNDS

SMALLEST_ERROR = 1e-6
"""Smallest standard error of a logarithm: what is rounded in tables, and no difference."""

FEWEST_FOR_PREDICTION = 3
"""Hosts from which on there is a prediction interval."""

UPPER = (1 + CONFIDENCE) / 2

WIDTH_EFFICIENCY = 0.6
"""Degrees of freedom of the width of a signed-rank interval, over those of a standard deviation of the same rounds.

Simulated with normal rounds, it is 0.9 for 6 to 10 rounds, 0.81 for 20 and 0.72 for 60. It is less here, because
Welch's test of a dozen hosts is liberal far in its tail, where the correction for many speedups looks.
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """The logarithm of a ratio on one host."""

    log: float
    error: float
    """Its standard error."""
    freedom: float
    """Degrees of freedom of that."""

    @classmethod
    def of(cls, ratio: Interval, rounds: int) -> Effect:
        """Return the effect of a ratio with its 95 % interval over rounds.

        Its error is NaN without bounds, and with fewer rounds than an interval takes.
        """
        low, high = np.log(ratio.low), np.log(ratio.high)
        unknown = isnan(low) or rounds < MIN_ROUNDS
        error = nan if unknown else max(float(high - low) / 2 / _t(rounds - 1), SMALLEST_ERROR)
        return cls(float(np.log(ratio.value)), error, WIDTH_EFFICIENCY * (rounds - 1))


@dataclass(frozen=True, slots=True)
class Together:
    """What effects are together."""

    mean: Interval
    """The pooled ratio; of hosts that were drawn at random, that of all such hosts."""
    prediction: Interval
    """Where the ratio on a further host of their sort lies, with a probability of 95 %; NaN for fewer than three."""
    error: float
    """Standard error of the logarithm of the mean."""
    between: float
    """The standard deviation between hosts of the logarithm, beyond what their intervals explain."""
    q: float
    """Cochran's Q."""
    i_squared: float
    """The share of the variance of the estimates that is between hosts (J. P. T. Higgins and S. G. Thompson, 2002)."""
    p_value: float
    """Of "all hosts have the same ratio"."""


def together(effects: Sequence[Effect]) -> Together:
    """Pool effects, of one host or more."""
    logs = np.array([effect.log for effect in effects])
    variances = np.square([effect.error for effect in effects], dtype=np.float64)
    count = len(effects)
    if count == 1:
        only = effects[0]
        mean = _interval(only.log, only.error * _t(only.freedom))
        return Together(mean, NO_ESTIMATE, only.error, 0.0, 0.0, 0.0, nan)
    between = _paule_mandel(logs, variances)
    weights = 1 / (variances + between)
    centre = float(np.average(logs, weights=weights))
    factor = max(1.0, float(np.sum(weights * (logs - centre) ** 2)) / (count - 1))
    error = sqrt(factor / float(np.sum(weights)))
    q = _q(logs, variances)
    predicted = count >= FEWEST_FOR_PREDICTION
    return Together(
        mean=_interval(centre, error * _t(count - 1)),
        prediction=_interval(centre, sqrt(between + error**2) * _t(count - 1)) if predicted else NO_ESTIMATE,
        error=error,
        between=sqrt(between),
        q=q,
        i_squared=max(0.0, 1 - (count - 1) / q) if q > 0 else 0.0,
        p_value=_welch(logs, variances, np.array([effect.freedom for effect in effects])),
    )


def deviations(effects: Sequence[Effect]) -> list[float]:
    """Return, for each host, the two-sided p-value of "it has the median of the hosts", before any correction.

    The median stays where one host is far off, while a mean would let all others differ from it. Its variance is that
    of a median of normal estimates, pi / 2 times that of their mean; of two hosts, the mean's.
    """
    from scipy.stats import t

    logs = np.array([effect.log for effect in effects])
    variances = np.square([effect.error for effect in effects], dtype=np.float64)
    count = len(effects)
    of_centre = variances.mean() / count * (np.pi / 2 if count > 2 else 1)
    errors = np.sqrt(variances + of_centre)
    freedom = np.array([effect.freedom for effect in effects])
    p_values: list[float] = (2 * t.sf(np.abs(logs - np.median(logs)) / errors, freedom)).tolist()
    return p_values


def one_sided_p_value(effect: Effect, sign: int) -> float:
    """Return the p-value of "the ratio is not above 1", or with -1 of "it is not below 1", before any correction."""
    from scipy.stats import t

    return float(t.sf(sign * effect.log / effect.error, effect.freedom))


def _t(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(UPPER, freedom))


def _interval(centre: float, half_width: float) -> Interval:
    return Interval.from_logs((centre, centre - half_width, centre + half_width))


def _q(logs: Floats, variances: Floats) -> float:
    weights = 1 / variances
    return float(np.sum(weights * (logs - np.average(logs, weights=weights)) ** 2))


def _paule_mandel(logs: Floats, variances: Floats) -> float:
    """Return the variance between hosts at which Q has its expected value; 0 where it is below that anyway."""
    from scipy.optimize import brentq

    expected = len(logs) - 1
    if _q(logs, variances) <= expected:
        return 0.0
    most = float(np.sum((logs - logs.mean()) ** 2)) + float(variances.max())
    return float(brentq(lambda between: _q(logs, variances + between) - expected, 0.0, most, xtol=1e-14))


def _welch(logs: Floats, variances: Floats, freedom: Floats) -> float:
    from scipy.stats import f

    count = len(logs)
    weights = 1 / variances
    lost = float(np.sum((1 - weights / weights.sum()) ** 2 / freedom))
    statistic = _q(logs, variances) / (count - 1) / (1 + 2 * (count - 2) / (count**2 - 1) * lost)
    return float(f.sf(statistic, count - 1, (count**2 - 1) / (3 * lost)))
