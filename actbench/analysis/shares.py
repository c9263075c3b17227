"""The share of the processor that cases had: below 1 where other processes used the processor as well.

A slice that lost the processor is timed again, unless it is longer than a scheduler's quantum. Such a slice counts its
processor time where that is accurate (`actbench.engine.working.undisturbed`), and the share tells so.
"""

from __future__ import annotations

import numpy as np

from actbench.analysis.statistics import Floats
from actbench.model.cases import Block
from actbench.model.times import Times

MOST_UNKNOWN = 0.05
"""Largest part of a case's values with an unknown share."""


def shares(times: Times, block: Block) -> Floats:
    """Return the mean over values by arm, the yardsticks last; NaN where more than `MOST_UNKNOWN` are unknown."""
    processor = times.processor(block)
    if processor is None:
        return np.full(len(block.timed), np.nan)
    by_arm = processor.swapaxes(0, 1).reshape(len(block.timed), -1)
    values = np.count_nonzero(~np.isnan(by_arm), axis=-1)
    known = by_arm > 0
    counts = np.count_nonzero(known, axis=-1)
    sums = np.sum(np.where(known, by_arm, 0.0), axis=-1)
    return np.where(counts >= (1 - MOST_UNKNOWN) * values, sums / np.maximum(counts, 1), np.nan)
