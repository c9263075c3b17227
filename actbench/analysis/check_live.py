"""A candidate measured side by side with a baseline: verdicts that are valid after every round.

Two processes, one of each environment, take turns. A round gives one ratio of times per case, the median over its
values, in which the host's drift cancels. A third process, of the baseline again, is the control: its difference from
the first shows what this host makes of no difference at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.arm_time import LongerArms
from actbench.analysis.clusters import clusters
from actbench.analysis.interval import Interval
from actbench.analysis.regression import Change, Margins, Verdict, verdict, why_open
from actbench.analysis.rounds_needed import Need, rounds_needed
from actbench.analysis.sequential import median_interval, sequential_p_value
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import CONFIDENCE, holm
from actbench.model.cases import Block, Case
from actbench.model.outcomes import Failure
from actbench.model.plan import Plan
from actbench.model.times import Times

DECIDED = {Verdict.REGRESSED, Verdict.IMPROVED, Verdict.UNCHANGED}


class LiveTimes:
    """The times of the three processes; rounds with the same number were measured together."""

    def __init__(self, plan: Plan) -> None:
        """Start with no rounds."""
        self.baseline, self.candidate, self.control = Times(plan), Times(plan), Times(plan)

    @property
    def all_three(self) -> tuple[Times, Times, Times]:
        """The times of baseline, candidate and control."""
        return self.baseline, self.candidate, self.control


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a live check."""

    changes: tuple[Change, ...]
    """One per case, including those that are missing or new."""
    noise: tuple[Change, ...]
    """Cases in which the control left the margin; if there are any, the host is too noisy for a verdict."""
    failures: tuple[Failure, ...]
    losses: tuple[Failure, ...]
    """Workers that were lost, even where their block continued."""
    rounds: int
    seconds: float
    need: Need | None = None
    """What a check takes that decides the cases that are open for too few rounds; None where there are none."""
    longer: LongerArms | None = None
    """How much longer than usual arms were timed; None where they were not."""


class Judgement(NamedTuple):
    """The changes of the candidate and of the control from the baseline."""

    changes: list[Change]
    """In the order of the plan; each has the control's ratio."""
    noise: list[Change]
    """The changes of the control beyond the margin; if there are any, the host is too noisy."""


def judge(times: LiveTimes, margins: Margins, cases: Collection[Case] | None = None) -> Judgement:
    """Judge every measured case, or only `cases`; and every case of the control."""
    of_control = _judged(times.baseline, times.control, margins)
    ratios = {change.case: change.ratio for change in of_control}
    changes = _judged(times.baseline, times.candidate, margins, cases)
    beyond = {Verdict.REGRESSED, Verdict.IMPROVED}
    return Judgement(
        [replace(change, control=ratios[change.case]) for change in changes],
        [change for change in of_control if change.verdict in beyond],
    )


def undecided(block: Block, changes: Sequence[Change]) -> bool:
    """Return whether more rounds may still decide a case of the block."""
    decided = {change.case for change in changes if change.verdict in DECIDED}
    return not decided.issuperset(block.cases)


def _judged(baseline: Times, other: Times, margins: Margins, cases: Collection[Case] | None = None) -> list[Change]:
    measured = log_ratios_by_case(baseline, other)
    rounds = {case: logs for case, logs in measured.items() if cases is None or case in cases}
    allowed = [log1p(margins.of(case)) for case in rounds]
    slower = holm([sequential_p_value(logs, a) for logs, a in zip(rounds.values(), allowed, strict=True)])
    faster = holm([sequential_p_value(-logs, a) for logs, a in zip(rounds.values(), allowed, strict=True)])
    changes = []
    for (case, logs), up, down in zip(rounds.items(), slower.tolist(), faster.tolist(), strict=True):
        ratio = Interval.from_logs(median_interval(logs))
        margin = margins.of(case)
        change = Change(case, verdict(ratio, margin, up, down), ratio, margin, min(up, down), logs.size, logs.size)
        if change.verdict is Verdict.INCONCLUSIVE:
            change = replace(change.left_open(why_open(ratio, margin, logs.size)), clusters=clusters(logs))
        changes.append(change)
    return changes


def needs(times: LiveTimes, changes: Sequence[Change]) -> dict[Case, int | None]:
    """Return the rounds that decide a difference as large as the margin, by case: see `rounds_needed`."""
    measured = log_ratios_by_case(times.baseline, times.candidate)
    return {change.case: rounds_needed(measured[change.case], log1p(change.margin)) for change in changes}


def confirms(change: Change) -> bool:
    """Return whether repeated rounds confirm that their case regressed."""
    return change.p_value <= 1 - CONFIDENCE and change.ratio.value > 1 + change.margin


def unsettled(change: Change) -> bool:
    """Return whether more rounds may still confirm or clear a suspicion."""
    return change.verdict not in DECIDED and not confirms(change)


def log_ratios_by_case(baseline: Times, other: Times) -> dict[Case, NDArray[np.float64]]:
    """Return one logarithm per round, by case: of the other's time over the baseline's."""
    return {
        case: _log_ratios(baseline, other, block, arm) for block in other.blocks for arm, case in enumerate(block.cases)
    }


def _log_ratios(baseline: Times, other: Times, block: Block, arm: int) -> NDArray[np.float64]:
    """Return the logarithm of the other's time over the baseline's, by round; values are paired in time."""
    both = np.stack([other.seconds(block)[:, arm], baseline.seconds(block)[:, arm]], axis=1)
    return log_ratios(both, 0, 1)
