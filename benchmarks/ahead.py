"""Workers of the next round that start while the current round is timed, on another processor: no check does that.

It hides what starting costs, but what starts shares the last-level cache and the memory with what is timed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from actbench.engine.launch import Worker
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.timing import Values
from actbench.model.cases import Block


class AheadLockstep(Lockstep):
    """Rounds that begin to start the next workers once all of their own are there."""

    def _measured(self, workers: Sequence[Worker], block: Block, rng: random.Random) -> list[Values]:
        if self.starts is not None:
            self.starts.begin(self.launches)
        return super()._measured(workers, block, rng)
