"""Rounds that fall into two clusters, as where a process is either fast or slow throughout."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp

import numpy as np
from numpy.typing import ArrayLike

LEAST_SHARE = 0.25
"""Least share of the rounds in a cluster; fewer are outliers."""

LEAST_GAP = 2.0
"""Least gap between clusters, in ranges of the wider one.

Eight rounds of one normal distribution have such a gap in 0.6 % of all cases, twelve in less than 0.1 %.
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rounds of about the same ratio."""

    rounds: int
    ratio: float
    """Their median."""


def clusters(logs: ArrayLike) -> tuple[Cluster, Cluster] | None:
    """Return the two clusters of logarithms of ratios, the faster one first; None where there is one."""
    rounds = np.sort(np.asarray(logs, dtype=np.float64))
    least = max(2, ceil(LEAST_SHARE * rounds.size))
    if rounds.size < 2 * least:
        return None
    gaps = np.diff(rounds)
    split = least + int(np.argmax(gaps[least - 1 : rounds.size - least]))
    parts = rounds[:split], rounds[split:]
    if gaps[split - 1] <= LEAST_GAP * max(np.ptp(part) for part in parts):
        return None
    low, high = (Cluster(part.size, exp(float(np.median(part)))) for part in parts)
    return low, high
