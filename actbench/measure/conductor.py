"""The conductor, engine ``interleaved``: it calibrates, orders, times out, and decides when there is enough.

A round is one fresh worker that measures every block once, in an order of its own. Where a worker crashes or hangs, a
new one goes on with the rest, and at last with the block that it was at; the second time, that block has failed, with
the worker's last line as the reason. What an earlier session gave up is tried again.

The plan's probes are blocks like any other, but for three things: they are short, since each of their arms is one of
many that share a process; a round has those of its blocks; and none is measured again for being slow, since
they are not compared with each other, and the intervals of what is derived from them include their variance.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf

from actbench.analysis.speedups import block_speedups, widest
from actbench.errors import BenchmarkError, WrongKernelError
from actbench.kernels.placement import PHASED
from actbench.measure.checking import Verification
from actbench.measure.disturbance import DISTURBED, MOST_REPEATS, calmer, slowness
from actbench.measure.launch import RETRIES, Launch, RestartingWorker, Worker
from actbench.measure.protocol import ListDoubts, Prepare, Time
from actbench.measure.schedule import from_small_to_large
from actbench.measure.stopping import BlockProgress, Stopping
from actbench.measure.timing import Values, calibrated, sweeps, values
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.events import Calibrated, Disturbed, Event, Failed, Lost, Measured, Recovered, RoundDone
from actbench.model.names import OperandState
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.plan import Plan
from actbench.model.times import Times

PROBE_SECONDS = 0.003
"""What an arm of a probe should take in a round: its fewest values, or one where calls are slow."""


@dataclass(slots=True)
class Conductor:
    """One run of the interleaved engine. Times in seconds."""

    plan: Plan
    verification: Verification
    """Of the plan."""
    stopping: Stopping
    launch: Launch
    """Of its workers; a block that takes longer in a round than a request may, loses its worker."""
    arm_seconds: float
    """What an arm should take in a round."""
    started: float
    """When the run began, by `clock`."""
    times: Times
    """What was measured before."""
    clock: Callable[[], float] = time.monotonic
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    """The blocks that an earlier session gave up, and since which round; 0 while calibrating."""
    given_up: set[str] = field(default_factory=set)
    losses: Counter[str] = field(default_factory=Counter)
    """How often each block failed."""
    completed: int = 0
    """The last round that was measured to its end before; there may be parts of a further one."""
    repeats: dict[tuple[Block, int], int] = field(default_factory=dict)
    """How often a round of a block was measured again."""
    block_seconds: dict[str, float] = field(default_factory=dict)
    """What a round of a block last took, from asking for it to its answer."""

    def events(self) -> Iterator[Event]:
        """Measure; yield what happens."""
        yield from self._calibrate()
        yield from self._catch_up()
        number = self.times.last_round
        if number > self.completed:
            blocks = self._with_probes(self._worthwhile(number - 1))
            yield from self._round(number, [block for block in blocks if number not in self.times.rounds(block)])
            yield self._done(number)
        while blocks := self._next(number):
            number += 1
            yield from self._round(number, self._with_probes(blocks))
            yield from self._again()
            yield self._done(number)

    def _catch_up(self) -> Iterator[Event]:
        """Measure what blocks lack that an earlier session gave up, as far as there is time."""
        for number in range(1, self.completed + 1):
            due = [
                block
                for block in self._worthwhile(number - 1)
                if self.failed.get(block.id, inf) <= number and number not in self.times.rounds(block)
            ]
            if due and self.stopping.enough(number - 1, inf, self._elapsed(), self._cost(due)):
                break
            yield from self._round(number, due)
        yield from (Recovered(name) for name in self.failed if name not in self.given_up)

    def _next(self, done: int) -> list[Block]:
        """Return the blocks of the next round; none when there is enough."""
        blocks = self._worthwhile(done)
        widest, _ = self._widest(self._blocks())
        enough = not blocks or self.stopping.enough(done, widest, self._elapsed(), self._cost(blocks))
        return [] if enough else blocks

    def _done(self, number: int) -> RoundDone:
        elapsed, cost = self._elapsed(), self._cost(self._worthwhile(number))
        return RoundDone(number, *self._widest(self._blocks()), elapsed, self.stopping.left(number, elapsed, cost))

    def _calibrate(self) -> Iterator[Event]:
        arm_seconds = dict.fromkeys(self.plan.blocks, self.arm_seconds) | dict.fromkeys(self.plan.probes, PROBE_SECONDS)
        todo = [block for block in arm_seconds if block.id not in {*self.given_up, *self.calibrations}]
        with RestartingWorker(self.launch) as restarting:
            for block, done in self._tried(todo):
                try:
                    worker = restarting.get()
                    worker.ask(Prepare.of(block, self.plan, whole=True))
                    calibration = calibrated(worker, block, arm_seconds[block], self.clock)
                    self.verification.settle(block, worker.ask(ListDoubts()).doubts)
                    if not self.verification.is_built_in(block):
                        self.verification.compare(block, worker)
                except BenchmarkError as error:
                    yield self._lost(restarting, block, 0, error)
                else:
                    self.calibrations[block.id] = calibration
                    yield Calibrated(block.id, calibration, done, len(todo))

    def _round(self, number: int, blocks: list[Block]) -> Iterator[Event]:
        rng = random.Random(f"{self.plan.seed}/{number}")  # noqa: S311  # an order, not a secret
        rng.shuffle(blocks)
        blocks.sort(key=from_small_to_large)
        with RestartingWorker(self.launch) as restarting:
            for block, done in self._tried(blocks):
                try:
                    worker = restarting.get()
                    start = self.clock()
                    times = BlockTimes(block, number, *self._measured(worker, block, rng))
                except BenchmarkError as error:
                    yield self._lost(restarting, block, number, error)
                else:
                    self.block_seconds[block.id] = self.clock() - start
                    self.times.add(times)
                    yield Measured(times, done, len(blocks))

    def _again(self) -> Iterator[Event]:
        """Measure the most disturbed round again, in a fresh process, of every block that has one."""
        todo = [disturbed for block in self._blocks() if (disturbed := self._disturbed(block))]
        with RestartingWorker(self.launch) as restarting:
            for done, (block, number) in enumerate(todo, start=1):
                attempt = self.repeats[block, number] = self.repeats.get((block, number), 0) + 1
                rng = random.Random(f"{self.plan.seed}/{number}/{attempt}")  # noqa: S311  # an order, not a secret
                yield Disturbed(block.id)
                try:
                    times = BlockTimes(block, number, *self._measured(restarting.get(), block, rng))
                except BenchmarkError as error:
                    yield self._lost(restarting, block, number, error)
                    continue
                if calmer(times.seconds, self.times.seconds(block)[self.times.rounds(block).index(number)]):
                    self.times.add(times)
                    yield Measured(times, done, len(todo))

    def _disturbed(self, block: Block) -> tuple[Block, int] | None:
        """Return the block's slowest round that may be measured again; None when all are as they should be.

        Out of cache, rounds vary by as much as a disturbance makes, so that it cannot be detected.
        """
        from_memory = block.operands is not OperandState.WARM or block.size * block.dtype.itemsize > PHASED
        if not self.times.rounds(block) or from_memory:
            return None
        slow = zip(slowness(self.times.seconds(block)).tolist(), self.times.rounds(block), strict=True)
        disturbed = [
            (factor, number)
            for factor, number in slow
            if factor > DISTURBED and self.repeats.get((block, number), 0) < MOST_REPEATS
        ]
        return (block, max(disturbed)[1]) if disturbed else None

    def _measured(self, worker: Worker, block: Block, rng: random.Random) -> Values:
        worker.ask(Prepare.of(block, self.plan))
        calibration = self.calibrations[block.id]
        swept = tuple(sweeps(calibration, rng))
        timed = worker.ask(Time(swept))
        self.verification.settle(block, worker.ask(ListDoubts()).doubts)
        return values(calibration, swept, [timed])

    def _blocks(self) -> list[Block]:
        return [block for block in self.plan.blocks if block.id not in self.given_up]

    def _with_probes(self, blocks: list[Block]) -> list[Block]:
        """Return the blocks, and the probes of any of them."""
        families = {block.family for block in blocks}
        probes = (probe for probe in self.plan.probes if probe.id not in self.given_up and probe.family in families)
        return [*blocks, *probes]

    def _tried(self, blocks: list[Block]) -> Iterator[tuple[Block, int]]:
        """Yield the blocks and their places; one that is lost meanwhile comes again in the end, if it may."""
        lost: list[tuple[Block, int]] = []
        for done, block in enumerate(blocks, start=1):
            before = self.losses[block.id]
            yield block, done
            if self.losses[block.id] > before:
                lost.append((block, done))
        yield from ((block, done) for block, done in lost if block.id not in self.given_up)

    def _lost(self, restarting: RestartingWorker, block: Block, number: int, error: BenchmarkError) -> Lost | Failed:
        """Note that a block failed, and give it up where that is once too often; a wrong kernel ends it all."""
        if isinstance(error, WrongKernelError):
            raise error
        restarting.end()
        failure = Failure(block.id, number, str(error))
        self.losses[block.id] += 1
        if self.losses[block.id] <= RETRIES:
            return Lost(failure)
        self.given_up.add(block.id)
        return Failed(failure)

    def _elapsed(self) -> float:
        return self.clock() - self.started

    def _worthwhile(self, done: int) -> list[Block]:
        progress = {
            block: BlockProgress(
                len(self.times.rounds(block)),
                tuple(block_speedups(self.times, block)) if self.times.rounds(block) else (),
                self._cost([block]),
            )
            for block in self._blocks()
        }
        return self.stopping.worthwhile(done, progress, self._elapsed())

    def _cost(self, blocks: list[Block]) -> float:
        """Return what a round of these blocks takes: as long as it took last time, or is predicted to."""
        timed = self._with_probes(blocks)
        return sum(self.block_seconds.get(block.id, self.calibrations[block.id].round_seconds) for block in timed)

    def _widest(self, blocks: list[Block]) -> tuple[float, str]:
        speedup = widest(self.times, blocks)
        if speedup is None:
            return 0.0, ""
        return (
            speedup.half_width,
            f"{speedup.candidate.id} against {speedup.reference.strategy}/{speedup.reference.backend}",
        )
