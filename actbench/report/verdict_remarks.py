"""Remarks on the verdicts of ``actbench check``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from actbench.analysis.arm_time import LongerArms
from actbench.analysis.check_live import Outcome
from actbench.analysis.regression import Change, OpenReason, Verdict
from actbench.analysis.rounds_needed import FEWEST_ROUNDS
from actbench.model.cases import Case
from actbench.model.training import FREE
from actbench.report.kept import kept
from actbench.report.needs import need_lines
from actbench.report.numbers import NO_INTERVAL, counted
from actbench.report.numbers import change as change_in_percent
from actbench.report.training.words import BOUND


def regrouped_line(cases: Sequence[Case]) -> list[str]:
    """Return the remark that cases are inconclusive because their blocks have other arms."""
    if not cases:
        return []
    line = (
        f"{counted(len(cases), 'case')} inconclusive: their blocks have other cases in the baseline, which by itself "
        f"changes times, e.g. {cases[0].id}: measure the same strategies and backends"
    )
    return [line]


def stored_remarks(changes: Sequence[Change], regrouped: Sequence[Case]) -> list[str]:
    """Return the remarks on verdicts about two runs."""
    command = "train" if any(change.case.op.network for change in changes) else "run"
    return [
        *regrouped_line(regrouped),
        *same_code_line(changes),
        *yardstick_lines(changes),
        *no_interval_line(changes, f"too few rounds in a run; measure more (actbench {command} --resume DIR)"),
        *kept_lines(changes),
        *limit_line(changes),
    ]


def yardstick_lines(changes: Sequence[Change]) -> list[str]:
    """Return the remarks that the yardstick moved: what the time relative to it shows, the time itself does not."""
    inconclusive = [change for change in changes if change.verdict is Verdict.INCONCLUSIVE]
    moved = [change for change in inconclusive if change.open_reason is OpenReason.YARDSTICK]
    slower = [change for change in moved if change.slower_in_itself]
    unshown = [change for change in moved if not change.slower_in_itself]
    lines = []
    if unshown:
        why = "the time itself does not show the change"
        lines.append(
            "the yardstick seems to have moved between the runs, not the case: "
            f"{_inconclusive(unshown, why)}; measure both again"
        )
    if slower:
        why = "the time itself is above the margin"
        lines.append(
            "the yardstick became slower as well between the runs, by itself or with the host: "
            f"{_inconclusive(slower, why)}; measure side by side (--against)"
        )
    return lines


def _inconclusive(changes: Sequence[Change], why: str) -> str:
    """Return how many cases are inconclusive and why, with the figures of the first."""
    first = changes[0]
    relative, itself = change_in_percent(first.ratio), change_in_percent(first.absolute or first.ratio)
    return (
        f"{counted(len(changes), 'case')} inconclusive because {why}, e.g. {first.case.id}: {relative} relative to "
        f"the yardstick, {itself} of the time itself"
    )


def no_interval_line(changes: Sequence[Change], why: str) -> list[str]:
    """Return the explanation of the mark of a missing interval, where it is shown."""
    short = [change for change in changes if change.rounds and not change.ratio.has_bounds]
    short = [change for change in short if not math.isnan(change.ratio.value)]
    return [f"{counted(len(short), 'case')} without an interval ({NO_INTERVAL}): {why}"] if short else []


def live_remarks(outcome: Outcome) -> list[str]:
    """Return the remarks on the verdicts of a live check."""
    failed = {failure.block for failure in outcome.failures}
    lost = [loss for loss in outcome.losses if loss.block not in failed]
    return [
        *confirmation_lines(outcome.changes),
        *kept_lines(outcome.changes),
        *same_code_line(outcome.changes),
        *no_interval_line(outcome.changes, f"it takes {FEWEST_ROUNDS} rounds"),
        *need_lines(outcome),
        *longer_arms_line(outcome.longer),
        *limit_line(outcome.changes),
        *(f"{loss.block} went on after round {loss.round}: {loss.reason}" for loss in lost),
    ]


def longer_arms_line(longer: LongerArms | None) -> list[str]:
    """Return why arms were timed longer than usual, where they were."""
    if longer is None:
        return []
    seconds, usual, scatter = 1000 * longer.seconds, 1000 * longer.usual, 100 * longer.scatter
    line = (
        f"a noisy host: an arm was timed for {seconds:.0f} ms a round instead of {usual:.0f}, in which the host alone "
        f"lets a ratio scatter by {scatter:.1f} %"
    )
    return [line]


def limit_line(changes: Sequence[Change]) -> list[str]:
    """Return what the arm without any gradient of the activation is, where it is measured."""
    return [BOUND] if any(change.case.op.network and change.case.strategy == FREE for change in changes) else []


def kept_lines(changes: Sequence[Change]) -> list[str]:
    """Return for every case that keeps more or fewer bytes than in the baseline how many these are."""
    different = [change for change in changes if change.kept and change.kept.baseline != change.kept.candidate]
    return [f"{change.case.id} {kept(change)}" for change in different]


def same_code_line(changes: Sequence[Change]) -> list[str]:
    """Return what it means that both sides execute the same code, where they do."""
    same = sum(change.same_code for change in changes)
    if not same:
        return []
    line = (
        f"{counted(same, 'case')} with the same code on both sides, down to the machine code: a difference there is "
        "one of placement in memory, or of the host"
    )
    return [line]


def confirmation_lines(changes: Sequence[Change]) -> list[str]:
    """Return for every repeated case whether it regressed again."""
    return [
        f"{change.case.id} was measured again: {change_in_percent(change.confirmation)}, "
        + ("regressed again" if change.verdict is Verdict.REGRESSED else "which does not confirm that it regressed")
        for change in changes
        if change.confirmation is not None
    ]
