"""Rounds of a bisect: a commit beside GOOD, and GOOD a second time as control."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field, replace

from actbench.analysis.check_live import LiveTimes, log_ratios_by_case
from actbench.analysis.commit_search import Ratios
from actbench.engine.bisect.commit_environments import CommitEnvironment
from actbench.engine.launch import Launch
from actbench.engine.live.lockstep import Lockstep
from actbench.engine.working.checking import Refused, Verification
from actbench.errors import WrongKernelError
from actbench.model.cases import Case
from actbench.model.events import Event
from actbench.model.plan import Plan


def named(launches: tuple[Launch, Launch, Launch]) -> tuple[Launch, Launch, Launch]:
    """Return the launches of the three processes with the names that they have in the errors of a bisect."""
    baseline, candidate, control = launches
    return baseline.named("GOOD"), candidate.named("BAD"), control.named("GOOD as control")


def ratios_of(times: LiveTimes) -> list[Ratios]:
    """Return the logarithms of the ratios of each round."""
    candidate = log_ratios_by_case(times.baseline, times.candidate)
    control = log_ratios_by_case(times.baseline, times.control)
    rounds: dict[int, dict[Case, tuple[float, float]]] = {}
    for block in times.baseline.blocks:
        for index, number in enumerate(times.baseline.rounds(block)):
            for case in block.cases:
                ratios = float(candidate[case][index]), float(control[case][index])
                rounds.setdefault(number, {})[case] = ratios
    return [rounds[number] for number in sorted(rounds)]


@dataclass
class CommitRounds:
    """Rounds of any commit, on the blocks of one plan."""

    template: Lockstep
    """GOOD beside itself, with calibrated loops."""
    locksteps: dict[int, Lockstep] = field(default_factory=dict)
    """By commit."""

    def prepare(self, number: int, there: CommitEnvironment, role: str) -> dict[Case, str]:
        """Check a commit's kernels; return the cases that cannot be measured in it, with the reasons.

        A block is measured with all of its cases, or not at all.
        """
        baseline, _, control = self.template.launches
        candidate = Launch(there.start, baseline.options).named(role)
        plan = self.template.plan
        why = f": {', '.join(there.lacking)} is not in it" if there.lacking else ""
        lacking = {case: f"it has no {case.id}{why}" for case in plan.cases if case not in there.offered}
        plan = _without(plan, lacking)
        wrong: dict[Case, str] = {}
        verification = Verification(plan)
        for checked in (*verification.check_kernels(candidate), *verification.check_steps(candidate)):
            if isinstance(checked, Refused):
                wrong |= dict.fromkeys(checked.cases_in(plan), checked.reason)
        plan = _without(plan, wrong)
        self.locksteps[number] = replace(
            self.template,
            plan=plan,
            verification=Verification(plan),
            launches=(baseline, candidate, control),
            sides=LiveTimes(plan),
            failures=[],
            losses=[],
            compared=set(),
        )
        reasons = lacking | wrong
        return {
            case: reasons.get(case) or next(reasons[other] for other in block.cases if other in reasons)
            for block in self.template.plan.blocks
            for case in block.cases
            if reasons.keys() & {*block.cases}
        }

    def round(
        self, commit: int, number: int, cases: Collection[Case]
    ) -> Generator[Event, None, tuple[Ratios, dict[Case, str]]]:
        """Measure the blocks of these cases once; return their ratios, and the cases that failed, with the reasons."""
        lockstep = self.locksteps[commit]
        lockstep.sides = LiveTimes(lockstep.plan)
        blocks = [block for block in lockstep.blocks if {*cases} & {*block.cases}]
        try:
            yield from lockstep.round(number, blocks)
        except WrongKernelError as error:
            return {}, dict.fromkeys(lockstep.plan.cases, str(error))
        failed = {
            case: failure.reason
            for failure in lockstep.failures
            for case in lockstep.plan.by_id[failure.block].cases
            if case in cases
        }
        (ratios,) = ratios_of(lockstep.sides) or ({},)
        return ratios, failed


def _without(plan: Plan, cases: Mapping[Case, str]) -> Plan:
    """Return a plan without the blocks of these cases."""
    return replace(plan, blocks=tuple(block for block in plan.blocks if not cases.keys() & {*block.cases}))
