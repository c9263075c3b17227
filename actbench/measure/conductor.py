"""The conductor, engine ``interleaved``: it calibrates, orders, times out, and decides when there is enough.

A round is one fresh worker that measures every block once, in an order of its own. A worker that crashes or hangs
costs the block it was at: that block is given up with the worker's last words, and a new worker goes on with the rest.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from actbench.analysis.speedups import widest
from actbench.errors import BenchmarkError
from actbench.measure import schedule
from actbench.measure.client import StartWorker, Worker
from actbench.measure.stopping import Stopping
from actbench.model import Block, BlockTimes, Calibration, Failure, Plan
from actbench.runs.events import Calibrated, Event, Failed, Measured, RoundDone
from actbench.runs.times import Times


@dataclass(slots=True)
class Conductor:
    """One run of the interleaved engine. Times in seconds."""

    plan: Plan
    stopping: Stopping
    start_worker: StartWorker
    arm_seconds: float
    """What an arm should take in a round."""
    timeout: float
    """What a block may take in a round before its worker is ended."""
    started: float
    """When the run began, by `clock`."""
    times: Times
    """What was measured before."""
    clock: Callable[[], float] = time.monotonic
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)

    def events(self) -> Iterator[Event]:
        """Measure, telling what happens."""
        yield from self._calibrate()
        number = self.times.last_round
        behind = [block for block in self._blocks() if number and number not in self.times.rounds(block)]
        yield from self._round(number, behind)
        next_round = sum(self.calibrations[block.id].round_seconds for block in self._blocks())
        found = self._widest()
        while self._blocks() and not self.stopping.enough(number, found[0], self._elapsed(), next_round):
            number += 1
            begun = self.clock()
            yield from self._round(number, self._blocks())
            next_round = self.clock() - begun
            found = self._widest()
            elapsed = self._elapsed()
            yield RoundDone(number, *found, elapsed, self.stopping.left(number, elapsed, next_round))

    def _calibrate(self) -> Iterator[Event]:
        todo = [block for block in self._blocks() if block.id not in self.calibrations]
        with _Crew(self.start_worker) as crew:
            for done, block in enumerate(todo, start=1):
                try:
                    calibration = self._calibrated(crew.worker(), block)
                except BenchmarkError as error:
                    yield self._give_up(crew, block, 0, error)
                else:
                    self.calibrations[block.id] = calibration
                    yield Calibrated(block.id, calibration, done, len(todo))

    def _calibrated(self, worker: Worker, block: Block) -> Calibration:
        deadline = self.clock() + self.timeout
        worker.prepare(block, self.plan.seed)
        worker.place(self.plan.seed)

        def time_arm(arm: int, loops: int) -> float:
            return worker.time([(arm, loops)], deadline - self.clock())[0]

        return schedule.calibrate(time_arm, len(block.timed), self.arm_seconds)

    def _round(self, number: int, blocks: list[Block]) -> Iterator[Event]:
        rng = random.Random(f"{self.plan.seed}/{number}")  # noqa: S311  # an order, not a secret
        rng.shuffle(blocks)
        blocks.sort(key=lambda block: block.size * block.dtype.itemsize)  # large arrays leave the allocator changed
        with _Crew(self.start_worker) as crew:
            for done, block in enumerate(blocks, start=1):
                try:
                    seconds = self._measured(crew.worker(), block, rng)
                except BenchmarkError as error:
                    yield self._give_up(crew, block, number, error)
                else:
                    times = BlockTimes(block, number, seconds)
                    self.times.add(times)
                    yield Measured(times, done, len(blocks))

    def _measured(self, worker: Worker, block: Block, rng: random.Random) -> tuple[tuple[float, ...], ...]:
        deadline = self.clock() + self.timeout
        worker.prepare(block, self.plan.seed)
        calibration = self.calibrations[block.id]
        values: list[list[float]] = [[] for _ in block.timed]
        for index in range(max(calibration.values)):
            worker.place(rng.getrandbits(32))
            arms = [arm for arm, count in enumerate(calibration.values) if index < count]
            order = schedule.order(arms, calibration.slices, rng)
            slices = [(arm, calibration.loops[arm]) for arm in order]
            totals = dict.fromkeys(arms, 0.0)
            for arm, seconds in zip(order, worker.time(slices, deadline - self.clock()), strict=True):
                totals[arm] += seconds
            for arm, total in totals.items():
                values[arm].append(total / calibration.calls(arm))
        return tuple(map(tuple, values))

    def _blocks(self) -> list[Block]:
        return [block for block in self.plan.blocks if block.id not in self.given_up]

    def _give_up(self, crew: _Crew, block: Block, number: int, error: BenchmarkError) -> Failed:
        crew.dismiss()
        self.given_up.add(block.id)
        return Failed(Failure(block.id, number, str(error)))

    def _elapsed(self) -> float:
        return self.clock() - self.started

    def _widest(self) -> tuple[float, str]:
        found = widest(self.times, self._blocks())
        if found is None:
            return 0.0, ""
        return found.half_width, f"{found.candidate.id} against {found.reference.strategy}/{found.reference.backend}"


class _Crew:
    """The one worker at work, replaced when it is lost."""

    def __init__(self, start_worker: StartWorker) -> None:
        self._start = start_worker
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()

    def worker(self) -> Worker:
        """Return the worker, started when there is none."""
        if self._worker is None:
            self._worker = self._start()
        return self._worker

    def dismiss(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
