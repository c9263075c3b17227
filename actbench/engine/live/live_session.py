"""A live check from the request to the verdicts: open both environments, find their common cases, measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from actbench import backends, plugins, registry
from actbench.analysis.check_live import Outcome
from actbench.analysis.rounds_needed import FEWEST_ROUNDS
from actbench.engine.environment import collect_environment
from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.live.baseline import describe, first_worker
from actbench.engine.live.baseline_code import BaselineCode, code_of
from actbench.engine.live.environment_cache import Tell, silent
from actbench.engine.live.live import LiveCheck
from actbench.engine.live.live_selection import selected
from actbench.engine.live.revisions import Revision
from actbench.engine.live.side_by_side import side_by_side
from actbench.engine.live.wrong_sides import SIDES, CodeOfSides
from actbench.engine.requests import DEFAULT_TIMEOUT, CheckRequest, chosen_seed
from actbench.engine.session import Seams
from actbench.errors import NotComparableError, listed, printable
from actbench.host import environment, installed_copies, repository, software
from actbench.host.environment import Environment
from actbench.model.cases import Case
from actbench.model.events import Event
from actbench.model.loaded import Loaded, changes_of_code, shared_by_both
from actbench.model.plan import Plan
from actbench.model.sides import Side
from actbench.model.times import Times
from actbench.runs.record import Engine, Record, Settings

HERE = "this environment"
"""The name of the candidate."""


class LiveSession:
    """A live check with the environments that it needs, which are closed on exit."""

    def __init__(self, request: CheckRequest, seams: Seams, tell: Tell = silent) -> None:
        """Open nothing yet; `tell` takes sentences about building an environment.

        `InputError` for a preset, processor, threads or file of inputs that does not exist.
        """
        self._request = request
        self._seams = seams
        self._tell = tell
        self._selection = selected(request)
        self._seed = chosen_seed(request.seed)
        self._cpu = environment.choose_cpu(request.affinity)
        self._timeout = request.timeout or DEFAULT_TIMEOUT
        self._open = ExitStack()
        self._check: LiveCheck
        self._code: BaselineCode
        self._revision: Revision | None = None
        self._there: dict[str, str] = {}
        self._loaded_there: tuple[Loaded, ...] = ()
        self._here: Environment
        self._created = datetime.now(UTC).isoformat(timespec="seconds")
        self.budget = request.budget or self._selection.budget
        """Seconds."""
        self.remarks: list[str] = []
        """Differences of the environments besides the code."""

    def __enter__(self) -> Self:
        """Open both environments and plan; `NotComparableError` where there is nothing to compare."""
        with ExitStack() as opening:
            there = opening.enter_context(self._seams.open_baseline(self._request.against, self._tell))
            self._revision = there.revision
            self._code = code_of(there.revision, self._request.load_baseline)
            start_there = there.start_with(self._code.sources)
            self._here = collect_environment(self._seams.start_worker, self._cpu, self._selection.backends)
            self._check = self._prepared(start_there, self._seams.clock())
            lockstep = self._check.lockstep
            lockstep.starts = self._seams.early_starts(lockstep.launches[0].options, opening)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        self._open.close()

    @property
    def plan(self) -> Plan:
        """The plan of both sides."""
        return self._check.lockstep.plan

    def events(self) -> Iterator[Event]:
        """Measure; yield events."""
        return self._check.events()

    def outcome(self) -> Outcome:
        """Return the outcome so far."""
        return self._check.outcome()

    def sides(self) -> tuple[Side, Side]:
        """Return the baseline and the candidate, as far as they are known by now."""
        commit = self._revision.commit if self._revision else None
        baseline = Side(printable(self._request.against), commit, self._there, self._loaded_there)
        here = repository.commit_here()
        return baseline, Side(HERE, here.revision if here else None, self._versions(), plugins.loaded())

    def runs(self) -> dict[str, tuple[Record, Times]]:
        """Return the measurements as three runs, by the names of their directories."""
        lockstep, here = self._check.lockstep, self._here
        kernels = {name: version for name, version in self._there.items() if name not in {"python", "actbench"}}
        tools = {name: version for name, version in here.libraries.items() if name not in self._versions()}
        there = replace(here, python=self._there["python"], actbench=self._there["actbench"], libraries=kernels | tools)
        settings = Settings(
            preset=self._selection.preset,
            engine=Engine.INTERLEAVED,
            target=self._request.margins.default,
            budget=self.budget,
            rounds=None,
            arm_seconds=lockstep.arm_seconds,
            timeout=self._timeout,
            threads=self._selection.threads(lockstep.plan),
        )
        theirs, ours = self._check.checks
        code = environment.public_code(self._loaded_there), environment.public_code(plugins.loaded())
        steps_there, steps_here = self._check.step_checks
        commits = repository.commit_of(self._revision.commit) if self._revision else None, repository.commit_here()
        baseline = there, theirs, steps_there, code[0], commits[0]
        candidate = here, ours, steps_here, code[1], commits[1]
        return {
            name: (
                Record(
                    plan=lockstep.plan,
                    settings=settings,
                    environment=of,
                    created=self._created,
                    checks=checks,
                    step_checks=steps,
                    calibrations=lockstep.calibrations,
                    failures=lockstep.failures,
                    rounds=times.last_round,
                    loaded=loaded,
                    commit=commit,
                ),
                times,
            )
            for name, (of, checks, steps, loaded, commit), times in zip(
                SIDES, (baseline, candidate, baseline), lockstep.sides.all_three, strict=True
            )
        }

    def _versions(self) -> dict[str, str]:
        """Return the versions in this environment of the libraries of the selection's backends."""
        return software.versions(self._libraries())

    def _libraries(self) -> tuple[str, ...]:
        """Return the names of the distributions that the selection's backends use."""
        return backends.libraries(self._selection.backends)

    def _prepared(self, start_there: StartWorker, began: float) -> LiveCheck:
        theirs = self._offered_by(start_there)
        ours = self._selection.offered_here(theirs, self._seed)
        common = [case for case in ours if case in theirs]
        if not common and (theirs or not self._code.lacking):
            raise NotComparableError(
                f"--against {self._request.against}: the two environments have no selected case in common"
                f"{self._lacking()}"
            )
        plan = self._selection.plan(common, self._seed)
        starts = start_there, self._seams.start_worker
        lockstep = side_by_side(self._selection, plan, starts, WorkerOptions(self._cpu, self._timeout), self._seams)
        lockstep.code = self._code_of_sides()
        return LiveCheck(
            lockstep=lockstep,
            margins=self._request.margins,
            budget=self.budget,
            min_rounds=1 if self._request.budget else FEWEST_ROUNDS,
            started=began,
            kept=({case: kept for case, kept in theirs.items() if kept is not None}, self._selection.kept(plan)),
            missing=tuple(case for case in theirs if case not in {*ours}),
            new=tuple(case for case in ours if case not in theirs),
            clock=self._seams.clock,
        )

    def _lacking(self) -> str:
        """Return which libraries of the selected backends a side lacks, as the end of a sentence."""
        sides = (("the baseline", self._there), ("this environment", self._versions()))
        needed = dict.fromkeys(backend.requires for backend in self._selection.backends if backend.requires)
        lacking = [
            f"{side} lacks {listed(missing)}"
            for side, versions in sides
            if (missing := [name for name in needed if name not in versions])
        ]
        if lacking:
            return f": {'; '.join(lacking)}: install what both need, or name other backends (-b)"
        without = [name for name in software.FOR_FORMULAS if name not in self._there]
        return f": the baseline lacks {listed(without)}, which some formulas or dtypes need" if without else ""

    def _code_of_sides(self) -> CodeOfSides:
        names = {code.name for code in plugins.loaded()}
        changed = {name for name, _, _ in changes_of_code(self._loaded_there, plugins.loaded())}
        return CodeOfSides(same=tuple(sorted(names - changed)), different=tuple(sorted(names & changed)))

    def _offered_by(self, start_there: StartWorker) -> Mapping[Case, float | None]:
        """Return the cases that the baseline offers with the bytes that they keep, after recording its versions."""
        against = self._request.against
        with first_worker(start_there, WorkerOptions(self._cpu, self._timeout, "baseline"), against) as worker:
            unused = {*backends.libraries(registry.backends().values())} - {*self._libraries()}
            described = describe(worker, against)
            self._there = {name: version for name, version in described.versions.items() if name not in unused}
            self._loaded_there = described.loaded
            self.remarks = [
                *_differences(self._there, self._versions()),
                *installed_copies.outdated(Path.cwd()),
                *self._code.remarks,
                *(
                    f"{name}: {there} in the baseline, {here} here"
                    for name, there, here in changes_of_code(self._loaded_there, plugins.loaded())
                ),
                *(
                    f"{name}: both sides open {path} ({digest}), so a change of it does not show"
                    for name, path, digest in shared_by_both(self._loaded_there, plugins.loaded())
                ),
            ]
            return self._selection.offered_by(worker)


def _differences(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """Return the versions that differ; libraries of actbench's own that the baseline does not have, in one line."""
    lacking = [name for name in software.OWN_LIBRARIES if name in here and name not in there]
    different = [
        f"{name}: {there.get(name, 'not there')} in the baseline, {here.get(name, 'not there')} here"
        for name in dict.fromkeys([*there, *here])
        if there.get(name) != here.get(name) and name not in lacking
    ]
    if lacking:
        needs = ", ".join(f"{name} {here[name]}" for name in lacking)
        different.append(f"not there in the baseline, but needed by actbench here: {needs}")
    return different or ["the same versions on both sides: " + ", ".join(f"{name} {v}" for name, v in here.items())]
