"""A live check from the question to the verdicts: open both environments, find what they have in common, measure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from actbench import backends, plugins, registry
from actbench.analysis.check_live import LiveTimes, Outcome
from actbench.analysis.regression import Margins
from actbench.analysis.sequential import fewest_rounds
from actbench.analysis.statistics import CONFIDENCE
from actbench.errors import BenchmarkError, InputError, NotComparableError
from actbench.host import environment, software
from actbench.host.environment import Environment
from actbench.measure.baseline import describe
from actbench.measure.environment import collect_environment
from actbench.measure.launch import Launch, NotLoadedError, StartWorker, Worker, WorkerOptions
from actbench.measure.live import LiveCheck
from actbench.measure.lockstep import Lockstep
from actbench.measure.protocol import Offer
from actbench.measure.session import Seams
from actbench.model.cases import Case
from actbench.model.events import Event
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.planning import costs, suite
from actbench.planning.presets import Preset
from actbench.planning.selection import Selection
from actbench.runs.record import Engine, Record, Settings

SIDES = 3
"""Processes that hold the operands of a block at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks for. Times in seconds."""

    against: str
    preset: Preset
    given: dict[str, tuple[Any, ...]]
    """Axes in place of the preset's, by name."""
    pattern: str
    max_call: float
    seed: int
    margins: Margins
    budget: float
    strict_budget: bool
    """Whether the budget holds even when it does not allow for the fewest rounds that decide anything."""
    cpu: int | None
    threads: int
    timeout: float

    @property
    def selection(self) -> Selection:
        """What is asked of either environment."""
        return Selection(self.preset.name, self.given, self.pattern, environment.memory() // SIDES, self.max_call)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that are asked for."""
        return tuple(self.given.get("backends", self.preset.axes.backends))

    @property
    def libraries(self) -> tuple[str, ...]:
        """The distributions of the optional ones among them."""
        return backends.libraries(registry.known_backends(self.backends))


class LiveSession:
    """A live check, and the environments that it needs; these are closed on leaving."""

    def __init__(self, asked: Asked, seams: Seams) -> None:
        """Open nothing yet."""
        self._asked = asked
        self._seams = seams
        self._open = ExitStack()
        self._check: LiveCheck
        self._there: dict[str, str]
        self._here: Environment
        self._created = datetime.now(UTC).isoformat(timespec="seconds")
        self.remarks: list[str] = []
        """What differs between the environments beside the code."""

    def __enter__(self) -> Self:
        """Open both environments and plan; `NotComparableError` when there is nothing to compare."""
        with ExitStack() as opening:
            start_there = opening.enter_context(self._seams.open_baseline(self._asked.against))
            self._here = collect_environment(self._seams.start_worker, self._asked.cpu, self._asked.backends)
            self._check = self._prepared(start_there, self._seams.clock())
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        self._open.close()

    def events(self) -> Iterator[Event]:
        """Measure, telling what happens."""
        return self._check.events()

    def outcome(self) -> Outcome:
        """Return what was found so far."""
        return self._check.outcome()

    def runs(self) -> dict[str, tuple[Record, Times]]:
        """Return what was measured as three runs, by the directories that they go to."""
        lockstep, asked = self._check.lockstep, self._asked
        here = self._here
        own = software.versions(asked.libraries)
        kernels = {name: found for name, found in self._there.items() if name not in {"python", "actbench"}}
        tools = {name: found for name, found in here.libraries.items() if name not in own}
        there = replace(here, python=self._there["python"], actbench=self._there["actbench"], libraries=kernels | tools)
        settings = Settings(
            preset=asked.preset.name,
            engine=Engine.INTERLEAVED,
            target=asked.margins.default,
            budget=asked.budget,
            rounds=None,
            arm_seconds=lockstep.arm_seconds,
            timeout=asked.timeout,
            threads=asked.threads if suite.threaded(lockstep.plan) else 1,
        )
        theirs, ours = self._check.checks
        parts = zip((there, here, there), (theirs, ours, theirs), lockstep.sides.all_three, strict=True)
        return {
            name: (
                Record(
                    plan=lockstep.plan,
                    settings=settings,
                    environment=of,
                    created=self._created,
                    checks=checks,
                    calibrations=lockstep.calibrations,
                    failures=lockstep.failures,
                    rounds=times.last_round,
                    loaded=environment.public_code(plugins.loaded()),
                ),
                times,
            )
            for name, (of, checks, times) in zip(("baseline", "candidate", "control"), parts, strict=True)
        }

    def _prepared(self, start_there: StartWorker, began: float) -> LiveCheck:
        asked = self._asked
        theirs = self._asked_of(start_there)
        ours = self._ours(theirs)
        common = [case for case in ours if case in {*theirs}]
        if not common:
            raise NotComparableError(f"--against {asked.against}: the two environments have no selected case in common")
        plan = Plan(suite.grouped(common), asked.seed)
        threads = asked.threads if suite.threaded(plan) else 1
        lockstep = Lockstep(
            plan=plan,
            launches=(
                Launch(start_there, WorkerOptions(asked.cpu, asked.timeout, "baseline", threads)),
                Launch(self._seams.start_worker, WorkerOptions(asked.cpu, asked.timeout, "candidate", threads)),
                Launch(start_there, WorkerOptions(asked.cpu, asked.timeout, "control", threads)),
            ),
            arm_seconds=costs.arm_seconds(plan, asked.preset.arm_seconds),
            sides=LiveTimes(plan),
            clock=self._seams.clock,
        )
        return LiveCheck(
            lockstep=lockstep,
            margins=asked.margins,
            budget=asked.budget,
            min_rounds=1 if asked.strict_budget else fewest_rounds((1 - CONFIDENCE) / 2),
            started=began,
            missing=tuple(case for case in theirs if case not in {*ours}),
            new=tuple(case for case in ours if case not in {*theirs}),
            clock=self._seams.clock,
        )

    def _asked_of(self, start_there: StartWorker) -> list[Case]:
        """Return the cases that the baseline offers, having learnt what it runs on."""
        worker: Worker | None = None
        try:
            worker = start_there(WorkerOptions(self._asked.cpu, self._asked.timeout, "baseline"))
            unused = {*backends.libraries(registry.backends().values())} - {*self._asked.libraries}
            told = describe(worker, self._asked.against)
            self._there = {name: version for name, version in told.items() if name not in unused}
            self.remarks = _differences(self._there, software.versions(self._asked.libraries))
            return [Case.parse(case) for case in worker.ask(Offer(self._asked.selection)).cases]
        except NotLoadedError as error:
            raise NotComparableError(
                f"--against {self._asked.against}: what is loaded here cannot be loaded there: {error}"
            ) from None
        except BenchmarkError as error:
            raise NotComparableError(
                f"--against {self._asked.against}: no worker can run there ({error}): it takes Python 3.11 or newer "
                "with numpy"
            ) from None
        finally:
            if worker is not None:
                worker.close()

    def _ours(self, theirs: list[Case]) -> list[Case]:
        """Return the cases that exist here; a name that neither environment knows is the user's mistake."""
        suite.refuse_unknown(self._asked.selection, theirs)
        ours = suite.offered(self._asked.selection)
        if not ours and not theirs:
            raise InputError("the selection leaves no case to measure in either environment: see 'actbench list cases'")
        return ours


def _differences(there: dict[str, str], here: dict[str, str]) -> list[str]:
    found = [
        f"{name}: {there.get(name, 'not there')} in the baseline, {here.get(name, 'not there')} here"
        for name in dict.fromkeys([*there, *here])
        if there.get(name) != here.get(name)
    ]
    return found or ["the same versions on both sides: " + ", ".join(f"{name} {v}" for name, v in here.items())]
