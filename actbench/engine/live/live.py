"""A live check: rounds side by side until every case is decided, then more rounds for suspected regressions.

The rounds that raised a suspicion never decide that a case regressed: the regression must show again, in fresh
processes, with another seed of inputs and order. Where the control, the baseline against itself, leaves the margin, the
host is too noisy for any verdict, and measuring stops. It stops as well, after the first round in most cases, where the
budget does not reach the fewest rounds with a verdict.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from actbench.analysis.check_live import (
    LiveTimes,
    Outcome,
    confirms,
    judge,
    needs,
    undecided,
    unsettled,
)
from actbench.analysis.kept_bytes import Kept, with_kept
from actbench.analysis.regression import Change, Margins, OpenReason, Verdict, one_sided_change, with_same_code
from actbench.analysis.rounds_needed import FEWEST_ROUNDS, Need
from actbench.analysis.sequential import fewest_rounds
from actbench.analysis.statistics import CONFIDENCE
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.live.wrong_sides import BASELINE, CANDIDATE
from actbench.engine.working.checking import all_passing
from actbench.model.cases import Block, Case
from actbench.model.checks import Check, StepCheck, of_same_code
from actbench.model.events import Confirming, Event, Judged


@dataclass(slots=True)
class LiveCheck:
    """One check of a candidate against a baseline. Times in seconds."""

    lockstep: Lockstep
    margins: Margins
    budget: float
    """Time limit of the check from its start; rounds that confirm a suspicion are measured in any case."""
    min_rounds: int
    """Number of rounds that are measured even beyond the budget."""
    started: float
    """Start of the check, by `clock`."""
    patience: float | None = None
    """Time limit while no case has regressed, and while it is open whether one has again; by default the budget."""
    kept: tuple[Kept, Kept] = ({}, {})
    """The bytes that the cases of baseline and candidate keep."""
    missing: tuple[Case, ...] = ()
    new: tuple[Case, ...] = ()
    clock: Callable[[], float] = time.monotonic
    rounds: int = 0
    before_rounds: float = 0.0
    """Duration of what precedes the first round: the check of kernels, and the calibration."""
    changes: list[Change] = field(default_factory=list)
    noise: list[Change] = field(default_factory=list)
    checks: tuple[list[Check], list[Check]] = field(default_factory=lambda: ([], []))
    """The oracle's checks of the kernels of baseline and candidate."""
    step_checks: tuple[list[StepCheck], list[StepCheck]] = field(default_factory=lambda: ([], []))
    """The checks of their training steps."""

    def events(self) -> Iterator[Event]:
        """Check kernels, measure, confirm; yield events. `outcome` gives the result at any time."""
        if self.rounds:  # of before, which this check goes on with
            self.changes, _ = judge(self.lockstep.sides, self.margins)
        wrong = self.lockstep.wrong_sides()
        both = zip((BASELINE, CANDIDATE), self.lockstep.launches, self.checks, self.step_checks, strict=False)
        for side, launch, checks, steps in both:
            with wrong.on(side):
                for checked in all_passing(self.lockstep.verification.check_kernels(launch)):
                    checks.append(checked.check)
                    yield checked
                for step in all_passing(self.lockstep.verification.check_steps(launch)):
                    steps.append(step.check)
                    yield step
        wrong.raise_any()
        yield from self.lockstep.calibrate()
        self.lockstep.lengthen(self.margins.tightest(self.lockstep.plan.cases), self.budget)
        self.before_rounds = self._elapsed()
        blocks = self.lockstep.blocks
        while blocks and self._affordable(blocks):
            self.rounds += 1
            yield from self.lockstep.round(self.rounds, blocks)
            self.changes, self.noise = judge(self.lockstep.sides, self.margins)
            if self.noise:
                return
            blocks = [block for block in self.lockstep.blocks if undecided(block, self.changes)]
            yield self._judged(self.rounds, self.changes)
            if blocks and self._out_of_reach(blocks):
                return
        if self._suspects():
            yield from self._confirm(self._suspects())

    def outcome(self) -> Outcome:
        """Return the outcome so far. Without confirmation, or on a noisy host, no case has regressed."""
        final = [
            change.left_open(OpenReason.NOISY_HOST if self.noise else OpenReason.NOT_REPEATED)
            if change.verdict is Verdict.REGRESSED and (self.noise or change.confirmation is None)
            else change
            for change in self.changes
        ]
        missing = [one_sided_change(case, Verdict.MISSING, self.margins.of(case)) for case in self.missing]
        new = [one_sided_change(case, Verdict.NEW, self.margins.of(case)) for case in self.new]
        judged = {change.case for change in final}
        open_cases = [case for block in self.lockstep.blocks for case in block.cases if case not in judged]
        unmeasured = [
            one_sided_change(case, Verdict.INCONCLUSIVE, self.margins.of(case)).left_open(OpenReason.NOT_MEASURED)
            for case in open_cases
        ]
        calibrated = all(block.id in self.lockstep.calibrations for block in self.lockstep.blocks)
        by_case = self._needs(final) if calibrated and not self.noise else {}
        final = [replace(change, need=by_case.get(change.case)) for change in final]
        final = with_same_code(final, of_same_code(*self.checks))
        return Outcome(
            changes=(*with_kept([*final, *unmeasured], *self._kept()), *missing, *new),
            noise=tuple(self.noise),
            failures=tuple(self.lockstep.failures),
            losses=tuple(self.lockstep.losses),
            rounds=self.rounds,
            seconds=self._elapsed(),
            need=self._need(by_case),
            longer=self.lockstep.longer,
        )

    def _kept(self) -> tuple[Kept, Kept]:
        """Return the bytes that cases keep in the baseline and the candidate; those of steps are counted in checks."""
        baseline, candidate = (
            {**kept, **{check.case: check.kept for check in checks}}
            for kept, checks in zip(self.kept, self.step_checks, strict=True)
        )
        return baseline, candidate

    def _needs(self, changes: list[Change]) -> dict[Case, Need]:
        """Return what it takes to decide the cases that too few rounds left open."""
        open_cases = [change for change in changes if change.verdict is Verdict.INCONCLUSIVE]
        rounds = needs(self.lockstep.sides, [change for change in open_cases if change.confirmation is None])
        blocks = {case: block for block in self.lockstep.plan.blocks for case in block.cases}
        costs = {case: self.lockstep.cost([blocks[case]]) for case in rounds}
        return {case: Need(number, number and number * costs[case]) for case, number in rounds.items()}

    def _need(self, by_case: dict[Case, Need]) -> Need | None:
        """Return what a check takes that decides all of these cases, and measures the others as long as this one."""
        blocks = self.lockstep.blocks
        numbers = {block: max(len(self.lockstep.sides.candidate.rounds(block)), 1) for block in blocks}
        for block in blocks:
            for number in (by_case[case].rounds for case in block.cases if case in by_case):
                if number is None:
                    return Need(None, None)
                numbers[block] = max(numbers[block], number)
        if not by_case or not numbers:
            return None
        rounds, starting = max(numbers.values()), self.lockstep.cost([])
        seconds = sum(number * (self.lockstep.cost([block]) - starting) for block, number in numbers.items())
        return Need(rounds, self.before_rounds + rounds * starting + seconds)

    def _confirm(self, suspects: list[Change]) -> Iterator[Event]:
        """Measure the blocks of the suspects again; the verdict is that of the new rounds alone.

        They come after the first rounds, so the test decides, without the interval's second tail. A disturbed round
        among few must not clear a suspect, so up to twice as many are measured, for as long again as the budget, or as
        the first rounds took where that is longer: they were as many as can confirm.
        """
        cases = [change.case for change in suspects]
        first = self.lockstep
        blocks = _with_any(first.blocks, cases)
        enough = _confirming_rounds(len(suspects))
        most = rounds_to_confirm(len(suspects))
        limit = self.confirming_limit()
        yield Confirming(tuple(case.id for case in cases), most, min(limit, most * first.cost(blocks)))
        seed = random.Random(f"{first.plan.seed}/confirm").getrandbits(32)  # noqa: S311  # not for cryptography
        plan = replace(first.plan, blocks=tuple(blocks), seed=seed)
        again = replace(first, plan=plan, sides=LiveTimes(plan), failures=[], losses=[])
        number, judged = 0, list[Change]()
        ends = self._elapsed() + limit
        while blocks and self._may_confirm(number, most, again.cost(blocks), ends):
            number += 1
            yield from again.round(number, blocks)
            judged, self.noise = judge(again.sides, self.margins, cases)
            if self.noise:
                break
            blocks = _with_any(again.blocks, [change.case for change in judged if number < enough or unsettled(change)])
            yield self._judged(number, judged)
        first.failures += again.failures
        first.losses += again.losses
        second = {change.case: change for change in judged}
        self.changes = [_confirmed(change, second.get(change.case)) for change in self.changes]

    def confirming_limit(self) -> float:
        """Return the longest duration of the rounds that confirm suspicions, beyond the budget."""
        return max(self.budget, self._elapsed())

    def _may_confirm(self, done: int, most: int, cost: float, ends: float) -> bool:
        """Return whether to measure another round that confirms: as many as needed, or as there is time for."""
        return (done < most and self._elapsed() + cost <= ends) or self._elapsed() + cost <= self._longest

    def _out_of_reach(self, blocks: list[Block]) -> bool:
        """Return whether the budget ends before the fewest rounds, even if the next ones are as short as predicted."""
        missing = FEWEST_ROUNDS - self.rounds
        if missing <= 0 or self.min_rounds >= FEWEST_ROUNDS:
            return False
        return not self._time_for(missing * self.lockstep.least_cost(blocks))

    def _affordable(self, blocks: list[Block]) -> bool:
        """Return whether another round, and the rounds that would confirm the current suspicions, fit the budget."""
        suspects = self._suspects()
        confirming = _with_any(self.lockstep.blocks, [change.case for change in suspects])
        reserve = _confirming_rounds(len(suspects)) * self.lockstep.cost(confirming) if suspects else 0.0
        return self.rounds < self.min_rounds or self._time_for(self.lockstep.cost(blocks) + reserve)

    def _time_for(self, seconds: float) -> bool:
        return self._elapsed() + seconds <= self._limit()

    def _limit(self) -> float:
        """Return the time limit, given what is known by now."""
        return self.budget if self._suspects() else self._longest

    @property
    def _longest(self) -> float:
        """The time limit while nothing is known to have regressed."""
        return max(self.budget, self.patience or 0.0)

    def _elapsed(self) -> float:
        return self.clock() - self.started

    def _suspects(self) -> list[Change]:
        return [change for change in self.changes if change.verdict is Verdict.REGRESSED]

    def _judged(self, number: int, changes: list[Change]) -> Judged:
        undecided_cases = sum(change.verdict is Verdict.INCONCLUSIVE for change in changes)
        left = max(0.0, self._limit() - self._elapsed())
        return Judged(number, undecided_cases, len(changes), left)


def _confirming_rounds(suspects: int) -> int:
    """Return the number of rounds that can confirm this many suspicions: enough for the tests and for an interval."""
    return fewest_rounds((1 - CONFIDENCE) / max(2, suspects))


def rounds_to_confirm(suspects: int) -> int:
    """Return the number of rounds beyond the budget that confirming this many suspicions may take."""
    return 2 * _confirming_rounds(suspects)


def _with_any(blocks: list[Block], cases: list[Case]) -> list[Block]:
    return [block for block in blocks if {*block.cases} & {*cases}]


def _confirmed(change: Change, second: Change | None) -> Change:
    """Return the change of a suspect by the new rounds; if they do not call it regressed, it is inconclusive."""
    if second is None:
        return change
    repeated = replace(change, confirmation=second.ratio)
    return repeated if confirms(second) else repeated.left_open(OpenReason.NOT_CONFIRMED)
