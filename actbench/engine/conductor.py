"""The conductor, engine ``interleaved``: it calibrates, orders, applies time limits, and decides when to stop.

A round is one fresh worker that measures every block once, in random order. Where a worker crashes, a new one
continues with the other blocks, and at the end tries the lost block again. The second time, and at once if it hangs,
each case of the block is tried alone: those that fail are left out for good, and the others are measured. Where none
fails alone, or all do, the block has failed, with the worker's last line as the reason. Blocks that failed in an
earlier session are tried again.

A kernel whose results turn out to be wrong loses all of its cases, with what was measured of them; a training step
loses that of its batch alone.

The plan's probes are blocks like any other, with three exceptions: they are short, since each of their arms is one of
many that share a process; a round has only the probes of its blocks; and no probe is measured again for being slow,
since probes are not compared with each other, and the intervals that are derived from them include their variance.
"""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf

from actbench.analysis.speedups import KnownSpeedups
from actbench.engine.disturbance import calmer, disturbed_round
from actbench.engine.isolation import Isolation
from actbench.engine.launch import RETRIES, Launch, RestartingWorker, UnsupportedError, Worker, WorkerHungError
from actbench.engine.protocol import ListDoubts, Time
from actbench.engine.schedule import from_small_to_large
from actbench.engine.stopping import BlockProgress, StoppingRule
from actbench.engine.timing import calibrated, prepare, sweeps, values
from actbench.engine.working.checking import RefusedError, Verification
from actbench.errors import BenchmarkError
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.events import (
    Calibrated,
    CasesLeftOut,
    Disturbed,
    Event,
    Failed,
    Lost,
    Measured,
    PartsTimed,
    Recovered,
    RoundDone,
)
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.plan import LeftOut, Plan
from actbench.model.times import Times

PROBE_SECONDS = 0.0015
"""Time of an arm of a probe per round: enough for the least number of values, or for one where calls are slow."""


@dataclass(slots=True)
class Conductor:
    """One run of the interleaved engine. Times in seconds."""

    plan: Plan
    verification: Verification
    """Of the plan."""
    stopping: StoppingRule
    launch: Launch
    """The launch of its workers; a block that exceeds the time limit of a request loses its worker."""
    arm_seconds: float
    """Intended time of an arm per round."""
    started: float
    """Start of the run, by `clock`."""
    times: Times
    """The earlier measurements of the run."""
    clock: Callable[[], float] = time.monotonic
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    """Blocks that failed in an earlier session, and were not measured since, with that round; 0 while calibrating."""
    given_up: set[str] = field(default_factory=set)
    losses: Counter[str] = field(default_factory=Counter)
    """Number of failures of each block since cases of it were last left out."""
    due: set[str] = field(default_factory=set)
    """The blocks that are to be tried again."""
    strict: bool = False
    """Whether a kernel that is refused ends the run."""
    completed: int = 0
    """The last complete round of earlier sessions; parts of a further one may exist."""
    repeats: dict[tuple[Block, int], int] = field(default_factory=dict)
    """Number of repetitions of a round of a block."""
    block_seconds: dict[str, float] = field(default_factory=dict)
    """Duration of the last round of a block in which it was not the first, from the request to the answer."""
    starting: float = 0.0
    """Duration of the last round in addition to its blocks: a worker starts and loads libraries."""
    _speedups: KnownSpeedups = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the earlier measurements."""
        self._speedups = KnownSpeedups(self.times)

    def events(self) -> Iterator[Event]:
        """Measure; yield events."""
        yield from self._calibrate()
        yield from self._catch_up()
        number = self.times.last_round
        if number > self.completed:
            blocks = self._worthwhile(number - 1)
            of_round = [*blocks, *self._probes(blocks)]
            yield from self._round(number, [block for block in of_round if number not in self.times.rounds(block)])
            yield self._done(number)
        while blocks := self._next(number):
            number += 1
            yield from self._round(number, [*blocks, *self._probes(blocks)])
            yield from self._again()
            if dropped := self.stopping.dropped(self.times):
                yield self._leave_out(dropped)
            yield self._done(number)

    def _catch_up(self) -> Iterator[Event]:
        """Measure the rounds that failed blocks of earlier sessions lack, as far as time permits."""
        failed = dict(self.failed)
        for number in range(1, self.completed + 1):
            due = [
                block
                for block in (*self._worthwhile(number - 1), *self.plan.probes)
                if block.id not in self.given_up
                and failed.get(block.id, inf) <= number
                and number not in self.times.rounds(block)
            ]
            if due and self.stopping.enough(number - 1, inf, self._elapsed(), self._cost(due)):
                break
            yield from self._round(number, due)
        yield from (Recovered(name) for name in sorted(failed.keys() - self.failed.keys() - self.given_up))

    def _next(self, done: int) -> list[Block]:
        """Return the blocks of the next round; none where the run is complete."""
        blocks = self._worthwhile(done)
        widest, _ = self._widest(self._blocks())
        enough = not blocks or self.stopping.enough(done, widest, self._elapsed(), self._cost(blocks))
        return [] if enough else blocks

    def _done(self, number: int) -> RoundDone:
        elapsed, cost = self._elapsed(), self._cost(self._worthwhile(number))
        return RoundDone(number, *self._widest(self._blocks()), elapsed, self.stopping.left(number, elapsed, cost))

    def _calibrate(self) -> Iterator[Event]:
        probes = {block.id for block in self.plan.probes}
        todo = [
            block
            for name, block in self.plan.by_id.items()
            if name not in self.given_up and name not in self.calibrations
        ]
        with RestartingWorker(self.launch) as restarting:
            for block, done in self._tried(todo):
                try:
                    worker = restarting.get()
                    prepare(worker, block, self.plan, self.launch.options.timeout, whole=True)
                    arm_seconds = PROBE_SECONDS if block.id in probes else self.arm_seconds
                    calibration = calibrated(worker, block, arm_seconds, self.clock, parts=bool(block.op.network))
                    self.verification.settle(block, worker.ask(ListDoubts()).doubts)
                    if self.verification.needs_comparison(block):
                        self.verification.compare(block, worker)
                except BenchmarkError as error:
                    yield from self._lost(restarting, block, 0, error)
                else:
                    self.calibrations[block.id] = calibration
                    yield Calibrated(block.id, calibration, done, len(todo))

    def _round(self, number: int, blocks: list[Block]) -> Iterator[Event]:
        rng = random.Random(f"{self.plan.seed}/{number}")  # noqa: S311  # not for cryptography
        rng.shuffle(blocks)
        blocks.sort(key=from_small_to_large)
        began, undisturbed = self.clock(), True
        with RestartingWorker(self.launch) as restarting:
            for block, done in self._tried(blocks):
                try:
                    worker = restarting.get()
                    start = self.clock()
                    times, parts = self._timed(worker, block, number, rng)
                except BenchmarkError as error:
                    undisturbed = False
                    yield from self._lost(restarting, block, number, error)
                else:
                    if done > 1:  # the first request loads libraries
                        self.block_seconds[block.id] = self.clock() - start
                    self.times.add(times)
                    yield from parts
                    yield Measured(times, done, len(blocks))
                    if self.failed.pop(block.id, None) is not None and number > self.completed:
                        yield Recovered(block.id)
        if undisturbed:
            self.starting = max(0.0, self.clock() - began - self._seconds(blocks))

    def _again(self) -> Iterator[Event]:
        """Repeat the most disturbed round of every block that has one, in a fresh process."""
        slowest = ((block, disturbed_round(self.times, block, self.repeats)) for block in self._blocks())
        todo = [(block, number) for block, number in slowest if number]
        with RestartingWorker(self.launch) as restarting:
            for done, (block, number) in enumerate(todo, start=1):
                attempt = self.repeats[block, number] = self.repeats.get((block, number), 0) + 1
                rng = random.Random(f"{self.plan.seed}/{number}/{attempt}")  # noqa: S311  # not for cryptography
                yield Disturbed(block.id)
                try:
                    times, parts = self._timed(restarting.get(), block, number, rng)
                except BenchmarkError as error:
                    yield from self._lost(restarting, block, number, error)
                    return
                if calmer(times.seconds, self.times.seconds(block)[self.times.rounds(block).index(number)]):
                    self.times.add(times)
                    yield from parts
                    yield Measured(times, done, len(todo))

    def _timed(self, worker: Worker, block: Block, number: int, rng: random.Random) -> tuple[BlockTimes, list[Event]]:
        """Return the times of a block in a round and, of training steps, those of their parts."""
        prepare(worker, block, self.plan, self.launch.options.timeout)
        calibration = self.calibrations[block.id]
        swept = tuple(sweeps(block, calibration, rng))
        timed = worker.ask(Time(swept, parts=bool(block.op.network)), calibration.round_seconds)
        parts: list[Event] = [PartsTimed(block.id, number, timed.parts)] if timed.parts else []
        self.verification.settle(block, worker.ask(ListDoubts()).doubts)
        return BlockTimes(block, number, *values(calibration, swept, [timed])), parts

    def _blocks(self) -> list[Block]:
        return [block for block in self.plan.blocks if block.id not in self.given_up]

    def _probes(self, blocks: list[Block]) -> list[Block]:
        """Return the probes of these blocks that can be measured, each once."""
        known = self.calibrations.keys() - self.given_up
        return [probe for probe in self.plan.probes_of(blocks) if probe.id in known]

    def _tried(self, blocks: list[Block]) -> Iterator[tuple[Block, int]]:
        """Yield the blocks, as the plan has them by then, with their indices; those that are due again come last."""
        queue = deque(enumerate(blocks, start=1))
        while queue:
            done, block = queue.popleft()
            current = self.plan.by_id.get(block.id)
            self.due.discard(block.id)
            if current:
                yield current, done
            if block.id in self.due:
                queue.append((done, block))

    def _lost(self, restarting: RestartingWorker, block: Block, number: int, error: BenchmarkError) -> Iterator[Event]:
        """Decide what a failure costs: another try, the cases that are to blame, or the block."""
        if isinstance(error, RefusedError) and self.strict:
            raise error
        restarting.end()
        failure = Failure(block.id, number, str(error))
        self.losses[block.id] += 1
        first = self.losses[block.id] <= RETRIES
        by_chance = not isinstance(error, RefusedError | WorkerHungError | UnsupportedError)
        isolation = Isolation(self.verification, self.launch, self.arm_seconds, self.clock)
        left_out = [] if first and by_chance else isolation.to_blame(block, self.plan, error)
        if isinstance(error, RefusedError) and not (left_out and self.plan.without(left_out).blocks):
            raise error
        if left_out:
            yield from [Lost(failure)] if by_chance else []
            yield self._leave_out(left_out)
            self.losses[block.id] = 0
        elif first:
            yield Lost(failure)
        else:
            self.given_up.add(block.id)
            yield Failed(failure)
            return
        self.due.add(block.id)

    def _leave_out(self, left_out: list[LeftOut]) -> CasesLeftOut:
        larger, self.plan = self.plan, self.plan.without(left_out)
        self.times.leave_out(self.plan)
        places = self.plan.places_in(larger)
        self.calibrations = {
            name: known.of_arms(places[name]) for name, known in self.calibrations.items() if name in places
        }
        return CasesLeftOut(tuple(left_out))

    def _elapsed(self) -> float:
        return self.clock() - self.started

    def _worthwhile(self, done: int) -> list[Block]:
        progress: dict[Block, BlockProgress] = {}
        for block, of_block in self._speedups.of(self._blocks()).items():
            probes = {probe.id: self._seconds([probe]) for probe in self._probes([block])}
            seconds = self._seconds([block]) + sum(probes.values())
            progress[block] = BlockProgress(len(self.times.rounds(block)), of_block, seconds, probes)
        return self.stopping.worthwhile(done, progress, self._elapsed(), self.starting)

    def _cost(self, blocks: list[Block]) -> float:
        """Return the duration of a round of these blocks with their probes: as in the last one, or as predicted."""
        return self.starting + self._seconds([*blocks, *self._probes(blocks)])

    def _seconds(self, blocks: list[Block]) -> float:
        """Return the duration of the blocks' requests, without what starts a round."""
        return sum(self.block_seconds.get(block.id, self.calibrations[block.id].round_seconds) for block in blocks)

    def _widest(self, blocks: list[Block]) -> tuple[float, str]:
        speedup = self._speedups.widest(blocks)
        if speedup is None:
            return 0.0, ""
        reference = f"{speedup.reference.strategy}/{speedup.reference.backend}"
        return speedup.half_width, f"{speedup.candidate.id} against {reference}"
