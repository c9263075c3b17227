"""Workers of the next round that start while the current round is timed, on another processor: no check does that.

It hides what starting costs, but what starts shares the last-level cache and the memory with what is timed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from actbench.measure.launch import Launch, Worker, WorkerOptions
from actbench.measure.lockstep import Lockstep
from actbench.measure.starting import ParallelStarts


class StartsAhead(ParallelStarts):
    """Starts the next worker of every launch once all of the current ones were taken."""

    def __init__(self, launches: Sequence[Launch], processors: Sequence[int]) -> None:
        """Start nothing yet; `processors` do not have the one on which workers are timed."""
        super().__init__(launches, processors)
        self._order: Sequence[int] = range(len(launches))

    def begin(self, order: Sequence[int]) -> None:
        """Begin where nothing was started ahead."""
        self._order = order
        if not self._started:
            super().begin(order)

    def _start(self, index: int, options: WorkerOptions) -> Worker:
        worker = super()._start(index, options)
        if not self._started:
            super().begin(self._order)
        return worker


@dataclass(slots=True)
class AheadLockstep(Lockstep):
    """Rounds whose workers start ahead, until it is closed."""

    ahead: StartsAhead | None = None

    def _started(self, rng: random.Random, stack: ExitStack) -> Sequence[Launch]:
        del stack
        self.ahead = self.ahead or StartsAhead(self.launches, self.start_on)
        self.ahead.begin(rng.sample(range(len(self.launches)), len(self.launches)))
        return self.ahead.launches

    def close(self) -> None:
        """End what was started ahead."""
        if self.ahead is not None:
            self.ahead.close()
