"""Statistics of rounds of live checks: how their ratios scatter, and whether they are independent."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log1p

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.interval import Interval
from actbench.analysis.rounds_needed import rounds_needed
from actbench.analysis.statistics import mad_standard_deviation

Floats = NDArray[np.float64]

GROUP = 20
"""Rounds after which the processes to fork from are restarted."""

RESAMPLES = 400


def scatter(logs: Floats) -> float:
    """Return the robust standard deviation over rounds in percent, the median over cases."""
    return 100 * float(np.median(mad_standard_deviation(logs)))


def wide(logs: Floats) -> float:
    """Return the standard deviation over rounds in percent, which far rounds widen, the median over cases."""
    return 100 * float(np.median(np.std(logs, axis=-1)))


def offset(logs: Floats) -> float:
    """Return the variance of medians of groups over what the scatter within groups predicts, the mean over cases."""
    groups = logs.shape[1] // GROUP
    if groups < 2:
        return float("nan")
    grouped_logs = logs[:, : groups * GROUP].reshape(len(logs), groups, GROUP)
    within = np.mean(mad_standard_deviation(grouped_logs) ** 2, axis=-1)
    of_medians = np.var(np.median(grouped_logs, axis=-1), axis=-1, ddof=1)
    return float(np.mean(of_medians / (within * np.pi / 2 / GROUP)))


def interval(figure: Callable[[Floats], float], logs: Floats, over: Floats | None = None) -> Interval:
    """Return a figure over rounds, or its quotient of two kinds, with the interval of resampled rounds."""
    rng = np.random.default_rng(1)
    count = logs.shape[1]

    def of_rounds(chosen: NDArray[np.int64]) -> float:
        value = figure(logs[:, chosen])
        return value if over is None else value / (figure(over[:, chosen]) or np.nan)

    values = [of_rounds(np.asarray(rng.integers(count, size=count))) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return Interval(of_rounds(np.arange(count)), float(low), float(high))


def need(logs: Floats, margin: float) -> float:
    """Return the rounds that no change needs to be decided, the median over cases."""
    return float(np.median([rounds_needed(row, log1p(margin)) or inf for row in logs]))
