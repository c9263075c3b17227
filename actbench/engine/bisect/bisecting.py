"""``actbench bisect`` from the request to the answer: BAD against GOOD first, then the commits in between.

The first part is a live check of BAD, whose verdict says whether there is anything to look for, and in which cases.
Then every round is one of a commit beside GOOD, and evidence for the search (`actbench.analysis.commit_search`), which
says which commit tells most in the time that its round takes. Evidence is on disk after every round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np

from actbench.analysis.arm_time import SECONDS_TO_START
from actbench.analysis.bisection import (
    SHARE_OF_CHECK,
    Bisection,
    ExpectedBisection,
    LackedCases,
    SkippedCommit,
    expected,
    measured_commits,
    slower_cases,
)
from actbench.analysis.check_live import Outcome
from actbench.analysis.commit_search import CommitSearch, Ratios
from actbench.analysis.regression import Verdict
from actbench.engine.bisect import bisect_state, commit_line, common_cases
from actbench.engine.bisect.bisect_rounds import CommitRounds, named, ratios_of
from actbench.engine.bisect.bisect_state import BisectState, MeasuredBy, StateFile, StoredRound, StoredSkip
from actbench.engine.bisect.code_of_ends import naming_code
from actbench.engine.bisect.commit_environments import CommitEnvironment, CommitEnvironments
from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.live.environment_cache import Tell, silent
from actbench.engine.live.live import LiveCheck
from actbench.engine.live.live_selection import selected
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.live.side_by_side import side_by_side
from actbench.engine.live.wrong_sides import SIDES
from actbench.engine.requests import DEFAULT_TIMEOUT, BisectRequest, chosen_seed
from actbench.engine.session import Seams
from actbench.errors import NotComparableError
from actbench.host import environment
from actbench.host.repository import HEAD, commit_here
from actbench.model.cases import Case
from actbench.model.events import Event, Judged


class Bisecting:
    """One bisect, with the environments that it opens, which are closed on exit."""

    def __init__(self, request: BisectRequest, seams: Seams, tell: Tell = silent) -> None:
        """Open nothing yet; `tell` takes sentences about what is done.

        `InputError` and `NotComparableError` for commits and options that cannot be used.
        """
        self.commits = commit_line.between(request.good, request.bad)
        self._request = request
        self._check = request.check
        self._seams = seams
        self._tell = tell
        self._cpu = environment.choose_cpu(request.check.affinity)
        self._measured_by = MeasuredBy.here(self._cpu)
        self._state = BisectState(seed=chosen_seed(request.check.seed), measured_by=self._measured_by)
        with naming_code(request.loaded_from):
            self._selection = selected(request.check)
            self._here = self._selection.offered_here((), self._state.seed)
        self._started = seams.clock()
        self._before = 0.0
        self._stack = ExitStack()
        self._file: StateFile
        self._environments: CommitEnvironments
        self._lacked: tuple[LackedCases, ...] = ()
        self._outcome: Outcome | None = None
        self._search: CommitSearch | None = None
        changed = (before.tree != after.tree for before, after in pairwise(self.commits))
        self._prior = np.array([0.0, *changed])
        self.remarks: list[str] = []

    def __enter__(self) -> Self:
        """Take up the evidence of an earlier bisect where it is to go on; `InputError` while another one has it."""
        with ExitStack() as opening:
            self._file = opening.enter_context(bisect_state.opened(bisect_state.question(self.commits, self._check)))
            if self._request.resume:
                self._state = self._file.load(self._measured_by, self._check.seed)
                self._before = self._state.seconds
            self._environments = CommitEnvironments(
                commits=self.commits,
                selection=self._selection,
                options=WorkerOptions(self._cpu, self._timeout),
                open_baseline=self._seams.open_baseline,
                tell=self._tell,
                clock=self._seams.clock,
                stack=opening.enter_context(ExitStack()),
                pins=self._state.pins,
            )
            self._stack = opening.pop_all()
        if self._request.bad == HEAD and (here := commit_here()) and here.dirty:
            self.remarks.append("files here differ from HEAD: what is not committed is not measured")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the environments."""
        self._stack.close()

    @property
    def _timeout(self) -> float:
        return self._check.timeout or DEFAULT_TIMEOUT

    def expected(self) -> ExpectedBisection:
        """Return what this is expected to take where a case got slower."""
        plan = self._selection.plan(self._here, self._state.seed)
        values = len(SIDES) * len(plan.cases) * self._selection.arm_seconds(plan)
        return expected(int(np.count_nonzero(self._prior)), len(plan.cases), SECONDS_TO_START + values)

    def events(self) -> Iterator[Event]:
        """Measure; yield events. `bisection` gives the result at any time.

        `NotComparableError` where GOOD or BAD cannot be measured.
        """
        good = self._end("GOOD", 0)
        self._state.pins = dict(self._environments.pins)
        bad = self._end("BAD", len(self.commits) - 1)
        self._lacked = common_cases.lacked(self._here, good, bad)
        cases = common_cases.common(self._here, good, bad, self._lacked)
        for one in self._lacked:
            self._tell(one.sentence)
        self.remarks += [f"--margins '{glob}' matches no case" for glob in self._check.margins.unused(cases)]
        if self._state.slower is None:
            yield from self._check_bad(cases, good, bad)
        if self._state.slower:
            yield from self._narrow_down([case for case in cases if case.id in self._state.slower], good)

    def _end(self, what: str, number: int) -> CommitEnvironment:
        """Return the environment of GOOD or BAD."""
        try:
            return self._environments.get(number) if number else self._environments.get_good()
        except NotComparableError as error:
            commit = self.commits[number].short
            raise NotComparableError(f"{what} {commit}: {error}: name a {what} that can be measured") from None

    # BAD against GOOD

    def _check_bad(self, cases: Sequence[Case], good: CommitEnvironment, bad: CommitEnvironment) -> Iterator[Event]:
        lockstep = self._lockstep(cases, good.start, bad.start)
        longest = SHARE_OF_CHECK * self._request.budget
        check = LiveCheck(
            lockstep=lockstep,
            margins=self._check.margins,
            budget=min(self._selection.budget, longest),
            patience=longest,
            min_rounds=1,
            started=self._seams.clock(),
            clock=self._seams.clock,
            rounds=self._state.restore_first(lockstep.sides),
        )
        try:
            for event in check.events():
                if isinstance(event, Judged):
                    self._state.keep_first(lockstep.sides)
                    self._save()
                yield event
        finally:
            self._outcome = check.outcome()
        if regressed := self._ids(Verdict.REGRESSED):
            self._state.slower = regressed
            self._state.undecided = self._ids(Verdict.INCONCLUSIVE)
            for ratios in ratios_of(lockstep.sides):
                self._keep_round(len(self.commits) - 1, {case: ratios[case] for case in ratios if case.id in regressed})
            self._save()

    def _ids(self, verdict: Verdict) -> list[str]:
        """Return the cases with a verdict."""
        changes = self._outcome.changes if self._outcome else ()
        return [change.case.id for change in changes if change.verdict is verdict]

    def _lockstep(self, cases: Sequence[Case], good: StartWorker, bad: StartWorker) -> Lockstep:
        plan = self._selection.plan(cases, self._state.seed)
        lockstep = side_by_side(self._selection, plan, (good, bad), self._environments.options, self._seams)
        lockstep.launches = named(lockstep.launches)
        lockstep.starts = self._seams.early_starts(lockstep.launches[0].options, self._stack)
        return lockstep

    # The commits in between

    def _narrow_down(self, cases: Sequence[Case], good: CommitEnvironment) -> Iterator[Event]:
        search = self._search = self._resumed(cases)
        rounds = CommitRounds(self._lockstep(cases, good.start, good.start))
        yield from rounds.template.calibrate()
        rounds.template.lengthen(self._check.margins.tightest(cases))
        seconds = rounds.template.cost(rounds.template.blocks) + SECONDS_TO_START
        opening = np.full(len(self.commits), max(self._environments.cost_of_opening(), seconds))
        while open_cases := search.open_cases():
            opening[[*rounds.locksteps]] = 0.0
            number = search.next(seconds + opening)
            if number is None or self._elapsed() + seconds + opening[number] > self._request.budget:
                return
            if number not in rounds.locksteps:
                self._begin(number, rounds)
                continue
            began = self._seams.clock()
            ratios, failed = yield from rounds.round(number, len(self._state.rounds) + 1, open_cases)
            seconds = self._seams.clock() - began if ratios else seconds
            self._keep_round(number, ratios)
            search.add(number, ratios)
            self._skip(number, failed)
            self._save()
            self._tell(self._progress(number, open_cases[0]))

    def _begin(self, number: int, rounds: CommitRounds) -> None:
        """Open the environment of a commit, and check its kernels; skip what cannot be measured."""
        commit = self.commits[number]
        try:
            there = self._environments.get(number)
        except NotComparableError as error:
            self._skip(number, dict.fromkeys(rounds.template.plan.cases, str(error)))
        else:
            self._skip(number, rounds.prepare(number, there, f"commit {commit.short}"))
        self._save()

    def _resumed(self, cases: Sequence[Case]) -> CommitSearch:
        """Return the search with the evidence that there is."""
        numbers = {commit.hash: number for number, commit in enumerate(self.commits)}
        by_id = {case.id: case for case in cases}
        search = CommitSearch(self._prior, tuple(cases))
        for stored in self._state.rounds:
            ratios = {by_id[name]: ratio for name, ratio in stored.ratios.items() if name in by_id}
            search.add(numbers[stored.commit], ratios)
        for skip in self._state.skipped:
            search.skip(numbers[skip.commit], [by_id[name] for name in skip.cases if name in by_id])
        return search

    def _keep_round(self, number: int, ratios: Ratios) -> None:
        if ratios:
            by_id = {case.id: ratio for case, ratio in ratios.items()}
            self._state.rounds.append(StoredRound(self.commits[number].hash, by_id))

    def _skip(self, number: int, reasons: dict[Case, str]) -> None:
        for reason in dict.fromkeys(reasons.values()):
            cases = [case for case in reasons if reasons[case] == reason]
            commit = self.commits[number]
            if self._search is not None:
                self._search.skip(number, cases)
            self._state.skipped.append(StoredSkip(commit.hash, tuple(case.id for case in cases), reason))
            self._tell(f"{commit.short} is skipped: {reason}")

    def bisection(self, *, interrupted: bool = False) -> Bisection:
        """Return what is known by now."""
        outcome, search = self._outcome, self._search
        reasons: dict[str, str] = {skip.commit: skip.reason for skip in self._state.skipped}
        return Bisection(
            commits=self.commits,
            names=(self._request.good, self._request.bad),
            margin=self._check.margins.default,
            slower=slower_cases(search) if search else (),
            first=outcome.changes if outcome else (),
            undecided=tuple(self._state.undecided),
            lacked=self._lacked,
            noise=outcome.noise if outcome else (),
            failures=outcome.failures if outcome else (),
            need=outcome.need if outcome else None,
            budget=self._request.budget,
            measured=measured_commits(search) if search else (),
            skipped=tuple(
                SkippedCommit(number, reasons[commit.hash])
                for number, commit in enumerate(self.commits)
                if commit.hash in reasons
            ),
            rounds=len(self._state.rounds) or max((of.rounds for of in outcome.changes) if outcome else (), default=0),
            seconds=self._before + self._elapsed(),
            remarks=(*self.remarks, *self._environments.remarks),
            interrupted=interrupted,
        )

    def _progress(self, number: int, case: Case) -> str:
        """Return where the search of a case stands after a round of a commit."""
        assert self._search is not None  # noqa: S101  # rounds are its evidence
        commits, probability = self._search.candidates(case)[0]
        return (
            f"round {len(self._state.rounds)}, of {self.commits[number].short}: most probable since "
            f"{self.commits[commits[-1]].short} ({100 * min(probability, 0.999):.3g} %)"
        )

    def _save(self) -> None:
        self._state.seconds = self._before + self._elapsed()
        self._file.save(self._state)

    def _elapsed(self) -> float:
        return self._seams.clock() - self._started
