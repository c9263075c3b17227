"""Three processes side by side on one processor: the baseline, the candidate, and the baseline again as control.

Every round restarts all three processes, to average out what a process draws once: workers that are forked from one
process share an offset (``benchmarks.rounds``). For each block they get the same inputs and loops, and take turns value
by value, in shuffled and mirrored order, at the same relative addresses: any disturbance by the host affects all three.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf

from actbench.analysis import arm_time
from actbench.analysis.arm_time import LongerArms
from actbench.analysis.check_live import LiveTimes
from actbench.engine.calibration import MIN_VALUES
from actbench.engine.launch import RETRIES, Launch, RestartingWorker, Worker
from actbench.engine.live.starting import EarlyStarts
from actbench.engine.live.wrong_sides import NO_CODE, SIDES, CodeOfSides, WrongSides
from actbench.engine.protocol import ListDoubts, Time, Timed
from actbench.engine.schedule import from_small_to_large, turns
from actbench.engine.timing import Values, calibrated, prepare, slow_down, sweeps, values
from actbench.engine.working.checking import Verification
from actbench.errors import BenchmarkError, WrongKernelError
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.events import Calibrated, Event, Failed, Measured
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.plan import Plan

CONTROL = 2
"""The index of the control."""


@dataclass(slots=True)
class Lockstep:
    """Rounds of blocks, measured by three workers in turns. Times in seconds."""

    plan: Plan
    verification: Verification
    """Of the plan, or of a larger one."""
    launches: tuple[Launch, Launch, Launch]
    """The launches of the workers of the baseline, the candidate and the control."""
    arm_seconds: float
    """Intended time of an arm per round, on either side."""
    sides: LiveTimes
    starts: EarlyStarts | None = None
    """What starts the workers of a round at once; None where they start one by one."""
    code: CodeOfSides = NO_CODE
    """The user's own code that both sides load."""
    injected_slowdown: float = 0.0
    """The share of uncounted extra calls of the third process: a slowdown to be detected."""
    clock: Callable[[], float] = time.monotonic
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    losses: list[Failure] = field(default_factory=list)
    """Every loss of a worker; after its first, the block continues in the next round."""
    compared: set[str] = field(default_factory=set)
    """The blocks whose results were compared with another formula, element by element, on all sides."""
    starting: float = 0.0
    """Duration of the last round in addition to its blocks."""
    block_seconds: dict[str, float] = field(default_factory=dict)
    """Duration of the last round of each block."""
    longer: LongerArms | None = None
    """How much longer than usual arms are timed; None where they are not."""
    scatter: list[float] = field(default_factory=list)
    """What the scatter of values adds to ratios: samples of `scatter_of_values`."""

    def calibrate(self) -> Iterator[Event]:
        """Fix the loops of all blocks, from the baseline."""
        with RestartingWorker(self.launches[0]) as restarting:
            for done, block in enumerate(self.plan.blocks, start=1):
                try:
                    worker = restarting.get()
                    prepare(worker, block, self.plan, self.launches[0].options.timeout)
                    calibration = calibrated(worker, block, self.arm_seconds, self.clock)
                    self.scatter += self._scatter(worker, block, calibration)
                except BenchmarkError as error:
                    restarting.end()
                    yield self._give_up(block, 0, error)
                else:
                    self.calibrations[block.id] = calibration
                    yield Calibrated(block.id, calibration, done, len(self.plan.blocks))

    def lengthen(self, margin: float, budget: float = inf) -> None:
        """Time arms for longer, where calibration showed that the host would make most of the scatter of ratios."""
        scatter = arm_time.deviation(self.scatter)
        timing = sum(self._predicted(self.blocks).values())
        factor = arm_time.factor(scatter, timing, margin, budget)
        if factor > 1:
            self.longer = LongerArms(scatter, self.arm_seconds, factor * self.arm_seconds)
            self.arm_seconds = self.longer.seconds
            self.calibrations = {name: known.longer(factor) for name, known in self.calibrations.items()}

    def _scatter(self, worker: Worker, block: Block, calibration: Calibration) -> list[float]:
        """Time twice the values of a round in one worker, and return what their scatter adds to ratios.

        Few values are long ones, of slow calls: they would tell little, and take about as long as a round.
        """
        if max(calibration.values) < MIN_VALUES:
            return []
        rng = random.Random(self.plan.seed)  # noqa: S311  # not for cryptography
        swept = [sweep for _ in range(2) for sweep in sweeps(block, calibration, rng)]
        answers = [worker.ask(Time((sweep,))) for sweep in swept]
        return arm_time.scatter_of_values(values(calibration, swept, answers).seconds)

    def round(self, number: int, blocks: Sequence[Block]) -> Iterator[Event]:
        """Measure these blocks once on all sides; a block that fails twice on any side is given up."""
        began = self.clock()
        rng = random.Random(f"{self.plan.seed}/{number}")  # noqa: S311  # not for cryptography
        todo = sorted(rng.sample(blocks, len(blocks)), key=from_small_to_large)
        with ExitStack() as stack:
            sides = [stack.enter_context(RestartingWorker(launch)) for launch in self._begun(rng)]
            for done, block in enumerate(todo, start=1):
                try:
                    for side in rng.sample(sides, len(sides)):
                        side.get()
                    start = self.clock()
                    measured = self._measured([side.get() for side in sides], block, rng)
                except WrongKernelError:
                    raise
                except BenchmarkError as error:
                    for side in sides:
                        side.end()
                    self.losses.append(Failure(block.id, number, str(error)))
                    if sum(loss.block == block.id for loss in self.losses) > RETRIES:
                        yield self._give_up(block, number, error)
                else:
                    self.block_seconds[block.id] = self.clock() - start
                    for times, measured_values in zip(self.sides.all_three, measured, strict=True):
                        times.add(BlockTimes(block, number, *measured_values))
                    yield Measured(BlockTimes(block, number, *measured[1]), done, len(todo))
        self.starting = self.clock() - began - sum(self.block_seconds.get(block.id, 0.0) for block in todo)

    def cost(self, blocks: Sequence[Block]) -> float:
        """Return the duration of a round of these blocks: that of the last one, or the predicted one."""
        predicted = self._predicted(blocks)
        return self.starting + sum(self.block_seconds.get(name, seconds) for name, seconds in predicted.items())

    def least_cost(self, blocks: Sequence[Block]) -> float:
        """Return the duration of a round of these blocks: that of the last one or the predicted one, the shorter."""
        predicted = self._predicted(blocks)
        measured = (min(self.block_seconds.get(name, seconds), seconds) for name, seconds in predicted.items())
        return self.starting + sum(measured)

    def _predicted(self, blocks: Sequence[Block]) -> dict[str, float]:
        return {block.id: len(SIDES) * self.calibrations[block.id].round_seconds for block in blocks}

    @property
    def blocks(self) -> list[Block]:
        """The blocks that have not failed."""
        failed = {failure.block for failure in self.failures}
        return [block for block in self.plan.blocks if block.id not in failed]

    def wrong_sides(self) -> WrongSides:
        """Return what keeps the errors of wrong kernels by side; none yet."""
        return WrongSides(self.code, self.verification, [launch.options.subject for launch in self.launches])

    def _begun(self, rng: random.Random) -> Sequence[Launch]:
        """Begin to start the workers of a round, in a random order, where they start at once; return their launches."""
        if self.starts is None:
            return self.launches
        self.starts.begin(rng.sample(self.launches, len(self.launches)))
        return [*map(self.starts.early, self.launches)]

    def _measured(self, workers: Sequence[Worker], block: Block, rng: random.Random) -> list[Values]:
        first = block.id not in self.compared
        wrong = self.wrong_sides()
        for side, worker in zip(SIDES, workers, strict=True):
            prepare(worker, block, self.plan, self.launches[0].options.timeout, whole=first)
            if first and self.verification.needs_comparison(block):
                with wrong.on(side):
                    self.verification.compare(block, worker)
        wrong.raise_any()
        self.compared.add(block.id)
        calibration = self.calibrations[block.id]
        swept = list(sweeps(block, calibration, rng))
        timed: list[list[Timed]] = [[] for _ in workers]
        slowed = [slow_down(sweep, self.injected_slowdown) for sweep in swept]
        for plain, heavy, turn in zip(swept, slowed, turns(len(workers), rng), strict=False):
            for index in turn:
                timed[index].append(workers[index].ask(Time((heavy if index == CONTROL else plain,))))
        for side, worker in zip(SIDES, workers, strict=True):
            with wrong.on(side):
                self.verification.settle(block, worker.ask(ListDoubts()).doubts)
        wrong.raise_any()
        return [values(calibration, swept, answers) for answers in timed]

    def _give_up(self, block: Block, number: int, error: BenchmarkError) -> Failed:
        self.failures.append(Failure(block.id, number, str(error)))
        return Failed(self.failures[-1])
