"""What the files of a run say of a block in a round, formatted once: every round rewrites the rounds before it, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.outcomes import BlockTimes
from actbench.model.times import Times

T = TypeVar("T")
"""What a block in a round is formatted as."""


class Formatted(Generic[T]):
    """The results of a function of the times of a block in a round, and of the block's calibration, which is fixed.

    Times that were measured again, or of which arms were left out, are formatted again.
    """

    def __init__(self, form: Callable[[BlockTimes, Calibration], T]) -> None:
        self._form = form
        self._known: dict[tuple[Block, int], tuple[NDArray[np.float64], T]] = {}

    def of(
        self, times: Times, blocks: Iterable[Block], calibrations: Mapping[str, Calibration]
    ) -> Iterator[tuple[Block, int, T]]:
        """Yield the results for these blocks, by round and then in their order."""
        for block, number, seconds in times.arrays(blocks):
            before, result = self._known.get((block, number), (None, None))
            if result is None or before is not seconds:
                result = self._form(times.in_round(block, number), calibrations[block.id])
                self._known[block, number] = seconds, result
            yield block, number, result
