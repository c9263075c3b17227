"""How long an arm of a live check should be timed in a round, by what the host adds to the scatter of ratios.

Rounds differ by their processes, and by what the host does while values are timed. More values average out the latter
alone: after f times as many, a round's ratio has the variance p² + v² / f, with p of the processes and v of the values,
and the round takes s + f t seconds, with s to start the workers and t to time the arms. The variance that is left after
some time of rounds is proportional to the product of both, which is least at f = v / p · sqrt(s / t) (W. G. Cochran,
"Sampling Techniques", 1977, on subsampling with a linear cost).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, pi, sqrt

import numpy as np

from actbench.analysis.rounds_needed import FEWEST_ROUNDS
from actbench.analysis.statistics import mad_standard_deviation

SCATTER_OF_PROCESSES = 0.011
"""Standard deviation over rounds of the logarithm of a ratio on a quiet host, where it comes from the processes
(``python -m benchmarks.rounds``, arms of 20 ms)."""

SECONDS_TO_START = 1.5
"""Predicted duration of a round in addition to its values: of starting three workers."""

SMALL = 0.25
"""Scatter over margin at which the fewest rounds decide: less of it buys nothing."""

FEWEST_PAIRS = 8
"""Least number of pairs of values that show how they scatter."""

MOST = 16.0
"""Largest factor by which arms are timed longer."""

LEAST = 1.25
"""Smallest one that is worth it."""

ROUNDS_TO_AFFORD = 2 * FEWEST_ROUNDS
"""Number of rounds that a budget should still have time for."""


@dataclass(frozen=True, slots=True)
class LongerArms:
    """Arms that are timed longer than usual, since the host is noisy."""

    scatter: float
    """The standard deviation that values alone give a round's ratio, of its logarithm, had arms been as usual."""
    usual: float
    """Seconds of an arm in a round."""
    seconds: float
    """The seconds that arms are timed instead."""


def scatter_of_values(values: Sequence[Sequence[float]]) -> list[float]:
    """Return samples of what the scatter of values adds to the logarithm of a round's ratio, as if about zero.

    `values` are the seconds of values that followed one another, by arm: twice as many as a round has, of one process,
    whose pairs of neighbours stand for those of two sides. A round's ratio is the median of its pairs' ratios, whose
    standard deviation is sqrt(π / 2 n) of theirs.
    """
    samples: list[float] = []
    for seconds in values:
        logs = np.log(seconds)
        pairs = len(logs) // 2
        differences = logs[: 2 * pairs : 2] - logs[1 : 2 * pairs : 2]
        samples += (differences * sqrt(pi / 2 / max(pairs, 1))).tolist()
    return samples


def deviation(samples: Sequence[float]) -> float:
    """Return the robust standard deviation about zero of samples of `scatter_of_values`; 0 where they are too few."""
    if len(samples) < FEWEST_PAIRS:
        return 0.0
    return float(mad_standard_deviation([*samples, *(-sample for sample in samples)]))


def factor(scatter: float, timing: float, margin: float, budget: float = inf) -> float:
    """Return how many times longer than usual arms should be timed; 1 where that does not pay.

    `scatter` is that of values with the usual time, `timing` the seconds of a round that are spent on values, all sides
    together, and `margin` the allowed difference. No more than `MOST`, than the `budget` in seconds has time for, and
    than lets the fewest rounds decide.
    """
    if not scatter or not timing:
        return 1.0
    factors = [MOST, scatter / SCATTER_OF_PROCESSES * sqrt(SECONDS_TO_START / timing)]
    factors.append((budget / ROUNDS_TO_AFFORD - SECONDS_TO_START) / timing)
    if SMALL * margin > SCATTER_OF_PROCESSES:
        factors.append(scatter**2 / ((SMALL * margin) ** 2 - SCATTER_OF_PROCESSES**2))
    wanted = min(factors)
    return wanted if wanted >= LEAST else 1.0
