"""A run against a stored baseline: two runs of one host, some time apart.

The compared times are relative to the yardstick of the case's block, so that the host's drift between the runs cancels.
The round is the unit. A case regressed or improved only where the time itself shows the same direction, and passes only
where the time itself is not wholly above the margin: the yardstick moved otherwise, by itself or with the host, which
two runs do not tell apart, and the case is inconclusive. A case whose block has other cases in the baseline is
inconclusive as well: the preceding cases of a block affect the state of caches and of the allocator, which changes
numpy's times by up to a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.interval import Interval
from actbench.analysis.regression import Change, Margins, OpenReason, Verdict, one_sided_change, verdict, why_open
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import hodges_lehmann_shift, holm, mann_whitney_p_value, medians
from actbench.model.cases import Block, Case
from actbench.model.times import Times
from actbench.model.training import FREE


def changes(baseline: Times, run: Times, margins: Margins) -> list[Change]:
    """Judge every case of either run, in the order of the plans."""
    before, after = _cases(baseline), _cases(run)
    shared = [case for case in after if case in before]
    pairs = [(_rounds(baseline, before[case], case), _rounds(run, after[case], case)) for case in shared]
    allowed = [log1p(margins.of(case)) for case in shared]
    slower = holm(
        [mann_whitney_p_value(old.relative, new.relative, log) for (old, new), log in zip(pairs, allowed, strict=True)]
    )
    faster = holm(
        [mann_whitney_p_value(new.relative, old.relative, log) for (old, new), log in zip(pairs, allowed, strict=True)]
    )
    undecidable = {*regrouped(baseline, run)}
    judged = [
        _judged(case, pair, margins.of(case), p_values, decidable=case not in undecidable)
        for case, pair, *p_values in zip(shared, pairs, slower.tolist(), faster.tolist(), strict=True)
    ]
    missing = [
        one_sided_change(case, Verdict.MISSING, margins.of(case), baseline_rounds=len(baseline.rounds(before[case])))
        for case in before
        if case not in after
    ]
    new = [
        one_sided_change(case, Verdict.NEW, margins.of(case), rounds=len(run.rounds(after[case])))
        for case in after
        if case not in before
    ]
    return judged + missing + new


def regrouped(baseline: Times, run: Times) -> list[Case]:
    """Return the cases of both runs whose blocks have different arms in the two runs."""
    before, after = _cases(baseline), _cases(run)
    return [case for case in after if case in before and before[case].arms != after[case].arms]


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Logarithms of a case's seconds, one per round: relative to the yardstick, and absolute."""

    relative: NDArray[np.float64]
    absolute: NDArray[np.float64]


def _cases(times: Times) -> dict[Case, Block]:
    """Return the cases that can regress, with their blocks: an arm without g' is wrong by design, and no choice."""
    return {case: block for block in times.blocks for case in block.cases if case.strategy != FREE}


def _rounds(times: Times, block: Block, case: Case) -> _Rounds:
    seconds = times.seconds(block)
    arm = block.cases.index(case)
    return _Rounds(log_ratios(seconds, arm, -1), np.log(medians(seconds[:, arm])))


def _judged(
    case: Case, rounds: tuple[_Rounds, _Rounds], margin: float, p_values: list[float], *, decidable: bool
) -> Change:
    old, new = rounds
    ratio = Interval.from_logs(hodges_lehmann_shift(old.relative, new.relative))
    absolute = Interval.from_logs(hodges_lehmann_shift(old.absolute, new.absolute))
    slower, faster = p_values
    relative = verdict(ratio, margin, slower, faster)
    if relative is Verdict.UNCHANGED and absolute.high < 1 / (1 + margin):
        relative = Verdict.NOT_SLOWER
    change = Change(
        case=case,
        verdict=relative,
        ratio=ratio,
        margin=margin,
        p_value=min(slower, faster),
        baseline_rounds=len(old.relative),
        rounds=len(new.relative),
        absolute=absolute,
    )
    if not decidable:
        return change.left_open(OpenReason.REGROUPED)
    if _contradicted(relative, absolute, margin):
        return change.left_open(OpenReason.YARDSTICK)
    is_open = relative is Verdict.INCONCLUSIVE
    return change.left_open(why_open(ratio, margin, change.rounds)) if is_open else change


def _contradicted(relative: Verdict, absolute: Interval, margin: float) -> bool:
    """Return whether the time itself does not bear out a verdict on the time relative to the yardstick."""
    if relative is Verdict.REGRESSED:
        return not absolute.low > 1
    if relative is Verdict.IMPROVED:
        return not absolute.high < 1
    return relative in {Verdict.UNCHANGED, Verdict.NOT_SLOWER} and absolute.low > 1 + margin
