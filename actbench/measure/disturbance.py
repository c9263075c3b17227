"""Whether a whole block was disturbed in a round, as by a neighbour on the same physical processor.

Such episodes last for seconds and make everything slower by a third or more, but kernels bound by memory differently
from kernels bound by arithmetic, so that ratios shift as well. They are detected by how slow the block as a whole is,
never by a ratio.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import medians

DISTURBED = 1.1
"""A block that is so many times slower than in other rounds is measured again."""

MOST_REPEATS = 2
"""How often, at most; the least slow attempt counts."""

USUAL = 25
"""The percentile over rounds that stands for an undisturbed one, as long as a quarter of them are."""


def slowness(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many times slower than usual a block was in each round: the median over its arms.

    `seconds` is rounds x arms x values, NaN where an arm has fewer values.
    """
    medians_per_round = medians(seconds)
    return np.asarray(np.median(medians_per_round / np.percentile(medians_per_round, USUAL, axis=0), axis=-1))


def calmer(seconds: tuple[tuple[float, ...], ...], before: NDArray[np.float64]) -> bool:
    """Say whether a new attempt, by arm and value, was less slow than the one before, arms x values."""
    new = np.array([np.median(values) for values in seconds])
    return bool(np.median(new / medians(before)) < 1)
