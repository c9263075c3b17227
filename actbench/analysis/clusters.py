"""Rounds that fall into two clusters, as where a process is either fast or slow throughout."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp

import numpy as np
from numpy.typing import ArrayLike

LEAST_SHARE = 0.25
"""Least share of the rounds in a cluster; fewer are outliers."""

LEAST_GAP = 2.0
"""Least gap between clusters, in ranges of the wider one."""

LEAST_ROUNDS = 10
"""Least number of rounds: the first at which fewer than 5 % of checks with 24 open cases show clusters that are none.

Rounds of one normal distribution have such a gap in 8 % of all cases where they are five, in 0.8 % where they are
eight, 0.24 % nine and 0.1 % ten. That is 18 % of checks with 24 such cases at eight rounds, 6 % at nine and 3 % at ten
(100 000 samples; `python -m pytest tests/unit/test_clusters.py` repeats it with 10 000).
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rounds of about the same ratio."""

    rounds: int
    ratio: float
    """Their median."""


def clusters(logs: ArrayLike) -> tuple[Cluster, Cluster] | None:
    """Return the two clusters of logarithms of ratios, the faster one first; None where none are shown."""
    rounds = np.sort(np.asarray(logs, dtype=np.float64))
    if rounds.size < LEAST_ROUNDS:
        return None
    least = ceil(LEAST_SHARE * rounds.size)
    gaps = np.diff(rounds)
    split = least + int(np.argmax(gaps[least - 1 : rounds.size - least]))
    parts = rounds[:split], rounds[split:]
    if gaps[split - 1] <= LEAST_GAP * max(np.ptp(part) for part in parts):
        return None
    low, high = (Cluster(part.size, exp(float(np.median(part)))) for part in parts)
    return low, high
