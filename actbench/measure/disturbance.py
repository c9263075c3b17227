"""Whether a whole block was disturbed, as by a neighbour on the same physical processor.

Such episodes last for seconds and make everything slower by a third or more, but bound by memory or by arithmetic not
alike, so that ratios shift as well. They are told by how slow the block as a whole is, never by a ratio.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DISTURBED = 1.1
"""A block that is so many times slower than in other rounds is measured again."""

REPEATS = 2
"""How often, at most; the least slow attempt counts."""

USUAL = 25
"""The percentile of earlier rounds that stands for an undisturbed one, as long as most are."""


def slowness(seconds: tuple[tuple[float, ...], ...], before: NDArray[np.float64]) -> float:
    """Return how many times slower a block is than in earlier rounds: the median over its arms; 1 without any.

    `seconds` is by arm and value; `before` is rounds x arms x values, NaN where an arm has fewer values.
    """
    if not len(before):
        return 1.0
    usual = np.percentile(np.nanmedian(before, axis=-1), USUAL, axis=0)
    return float(np.median([np.median(values) for values in seconds] / usual))
