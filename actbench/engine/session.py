"""One session of a run, from the plan to the last round: check every kernel, then let the engine measure.

A kernel that does not pass its check has no speed: its cases are left out, and the others are measured. A strict
session measures nothing then, and neither does one without any other case.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from actbench import plugins
from actbench.engine.client import WorkerProcess, here
from actbench.engine.conductor import Conductor
from actbench.engine.launch import Launch, StartWorker, Worker, WorkerOptions
from actbench.engine.live.baseline import OpenBaseline, opened
from actbench.engine.live.starting import EarlyStarts, places_to_start
from actbench.engine.protocol import Source
from actbench.engine.stock import PROCESSES, Stock
from actbench.engine.stopping import Stopping, StoppingRule
from actbench.engine.working.checking import NoneSupportedError, Refused, RefusedError, Verification, leaving_out
from actbench.model.events import CasesLeftOut, Checked, Event, StepChecked, Withdrawn
from actbench.model.times import Times
from actbench.planning import library_threads
from actbench.runs.record import Engine, Record


def start_process(options: WorkerOptions) -> Worker:
    """Start a worker in a separate process of this environment; it loads the code that this process has loaded."""
    worker = WorkerProcess(options, here())
    if sources := [Source(code.name, code.sha256, plugins.place_of(code)) for code in plugins.loaded()]:
        worker.load(sources)
    return worker


@dataclass(frozen=True, slots=True)
class Seams:
    """The connections to the real world, which tests replace to get exact times."""

    start_worker: StartWorker = start_process
    open_baseline: OpenBaseline = opened
    clock: Callable[[], float] = time.monotonic
    places_to_start: Callable[[WorkerOptions], tuple[int, ...]] = places_to_start
    """The processors on which workers may start at once."""

    def early_starts(self, options: WorkerOptions, stack: ExitStack) -> EarlyStarts | None:
        """Return what starts workers with these options at once, until the stack is closed; None where nothing does."""
        places = self.places_to_start(options)
        return stack.enter_context(closing(EarlyStarts(places))) if places else None


@dataclass(frozen=True, slots=True)
class Session:
    """The remaining work of a run."""

    record: Record
    times: Times
    """The measurements of earlier sessions, to which the engine adds its own."""
    started: float
    """Start of the session, by the seams' clock."""
    min_rounds: int
    """Number of rounds that are measured even beyond the budget."""
    seams: Seams
    strict: bool = False
    """Whether to measure nothing where a kernel does not pass."""
    refused: list[Refused] = field(default_factory=list)
    """What did not pass."""
    stopping: StoppingRule | None = None
    """What ends the run; its settings where there is none."""

    def events(self) -> Iterator[Event]:
        """Do the work; yield events, each of which must be written before the next one.

        `RefusedError` or `InputError` where nothing is left to measure, the former also where a kernel did not pass in
        a strict session. What was measured of a wrong kernel is withdrawn first: it may be mended before a resume.
        """
        try:
            yield from self._worked()
        except RefusedError as error:
            wrong = {one.kernel for one in error.refused if one.wrong}
            blocks = self.record.plan.by_id.items()
            timing = (name for name, block in blocks if any(case.kernel in wrong for case in block.timed))
            yield Withdrawn(tuple(timing), str(error))
            raise

    def _worked(self) -> Iterator[Event]:
        """Check, and measure."""
        verification = Verification(self.record.plan)
        if len(self.record.checks) < len(self.record.plan.kernels):
            self.record.checks.clear()
            yield from self._passing(verification.check_kernels(self._launch()))
        if len(self.record.step_checks) < len(self.record.plan.steps):
            self.record.step_checks.clear()
            yield from self._passing(verification.check_steps(self._launch()))
        match self.record.settings.engine:
            case Engine.INTERLEAVED:
                yield from self._conductor(verification).events()
            case Engine.PYPERF:
                yield from self._passing(verification.compare_blocks(self._launch()))
                yield from self._stock().events()

    def _passing(self, checks: Iterable[Checked | StepChecked | Refused]) -> Iterator[Event]:
        """Pass on what passes, and leave out the cases of what does not."""
        for check in checks:
            if isinstance(check, Refused):
                self.refused.append(check)
                yield from self._without(check)
            else:
                yield check
        if self.strict and self.refused:
            raise RefusedError(self.refused)

    def _without(self, refused: Refused) -> Iterator[CasesLeftOut]:
        left_out = leaving_out(self.record.plan, refused)
        if not self.record.plan.without(left_out).blocks:
            if any(one.failed for one in self.refused):
                raise RefusedError(self.refused)
            raise NoneSupportedError(self.refused)
        if left_out and not self.strict:
            yield CasesLeftOut(left_out)

    def _launch(self) -> Launch:
        settings = self.record.settings
        options = WorkerOptions(
            self.record.environment.affinity,
            settings.timeout,
            threads=settings.threads,
            together=library_threads.together(self.record.plan),
        )
        return Launch(self.seams.start_worker, options)

    def _conductor(self, verification: Verification) -> Conductor:
        settings = self.record.settings
        return Conductor(
            plan=self.record.plan,
            verification=verification,
            stopping=self.stopping or Stopping(settings.target, settings.budget, settings.rounds, self.min_rounds),
            launch=self._launch(),
            arm_seconds=settings.arm_seconds,
            started=self.started,
            clock=self.seams.clock,
            times=self.times,
            completed=self.record.rounds,
            calibrations=dict(self.record.calibrations),
            failed=self._failed(),
            strict=self.strict,
        )

    def _stock(self) -> Stock:
        return Stock(
            plan=self.record.plan,
            processes=self.record.settings.rounds or PROCESSES,
            cpu=self.record.environment.affinity,
            timeout=self.record.settings.timeout,
            started=self.started,
            times=self.times,
            failed=self._failed(),
            clock=self.seams.clock,
        )

    def _failed(self) -> dict[str, int]:
        return {failure.block: failure.round for failure in self.record.failures}
