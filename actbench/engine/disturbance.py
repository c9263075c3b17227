"""Detection of rounds in which a whole block was disturbed, as by a neighbour on the same physical processor.

Such episodes last for seconds and slow everything down by a third or more. They affect kernels that are bound by memory
differently from kernels that are bound by arithmetic, so ratios shift as well. They are detected by the slowness of the
block as a whole, never by a ratio.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import medians
from actbench.kernels.placement import PHASED
from actbench.model.cases import Block
from actbench.model.names import OperandState
from actbench.model.times import Times

DISTURBED = 1.1
"""Slowness relative to other rounds from which on a block is measured again."""

MOST_REPEATS = 2
"""Largest number of repetitions; the least slow attempt counts."""

USUAL = 25
"""Percentile over rounds that represents an undisturbed one, as long as a quarter of the rounds are undisturbed."""


def slowness(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slowness of a block in each round, relative to the usual time: the median over its arms.

    `seconds` is rounds x arms x values, NaN where an arm has fewer values.
    """
    medians_per_round = medians(seconds)
    return np.asarray(np.median(medians_per_round / np.percentile(medians_per_round, USUAL, axis=0), axis=-1))


def disturbed_round(times: Times, block: Block, repeats: Mapping[tuple[Block, int], int]) -> int | None:
    """Return the block's slowest round that may be repeated; None where no round was disturbed.

    Out of cache, rounds vary as much as under a disturbance, so a disturbance cannot be detected.
    """
    from_memory = block.operands is not OperandState.WARM or block.size * block.dtype.itemsize > PHASED
    from_memory |= bool(block.op.network)
    if not times.rounds(block) or from_memory:
        return None
    slow = zip(slowness(times.seconds(block)).tolist(), times.rounds(block), strict=True)
    disturbed = [
        (factor, number)
        for factor, number in slow
        if factor > DISTURBED and repeats.get((block, number), 0) < MOST_REPEATS
    ]
    return max(disturbed)[1] if disturbed else None


def calmer(seconds: tuple[tuple[float, ...], ...], before: NDArray[np.float64]) -> bool:
    """Return whether a new attempt, by arm and value, was less slow than the one before, arms x values."""
    new = np.array([np.median(values) for values in seconds])
    return bool(np.median(new / medians(before)) < 1)
