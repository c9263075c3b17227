"""Verdicts: whether a case got slower from one run to another.

Two runs of one host are compared by times relative to the yardstick of the case's block, so that the host's drift
between them cancels. The round is the unit. A verdict needs the interval and the test: `regressed` only where the whole
95 % interval lies above the margin, and the chance of being wrong, corrected for the number of cases, is at most 5 %;
`unchanged` only where the whole interval lies inside the margin. Everything else is inconclusive; so is, whatever its
figures, a case that shared its block with other cases then than now: neighbours in a block, by the state in which they
leave caches and the allocator, move numpy's times by up to a tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, isnan, log, log1p, nan

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import CONFIDENCE, chance_of_excess, holm, shift
from actbench.model import Block, Case
from actbench.runs.times import Times


class Verdict(StrEnum):
    """What is said of a case, the gravest first."""

    REGRESSED = "regressed"
    MISSING = "missing"
    """The baseline has it, the run does not."""
    INCONCLUSIVE = "inconclusive"
    IMPROVED = "improved"
    NEW = "new"
    """The run has it, the baseline does not."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """How many times as long a case takes as in the baseline; above 1 it got slower.

    `low` and `high` bound the 95 % interval; NaN where there are too few rounds for one, or nothing to compare.
    """

    case: Case
    verdict: Verdict
    ratio: float
    """Of times relative to the yardstick."""
    low: float
    high: float
    absolute: float
    """Of seconds, the host's drift and all."""
    absolute_low: float
    absolute_high: float
    chance: float
    """The p value of the verdict regressed or improved, corrected for the number of cases (Holm)."""
    baseline_rounds: int
    rounds: int


def changes(baseline: Times, run: Times, margin: float) -> list[Change]:
    """Judge every case of either run, in the order of the plans; `margin` is relative: 0.05 for 5 %."""
    before, after = _cases(baseline), _cases(run)
    shared = [case for case in after if case in before]
    pairs = [(_rounds(baseline, before[case], case), _rounds(run, after[case], case)) for case in shared]
    allowed = log1p(margin)
    slower = [chance_of_excess(old.relative, new.relative, allowed) for old, new in pairs]
    faster = [chance_of_excess(new.relative, old.relative, allowed) for old, new in pairs]
    chances = holm([min(each) for each in zip(slower, faster, strict=True)]) if pairs else ()
    undecidable = {*regrouped(baseline, run)}
    judged = [
        _judged(case, pair, allowed, float(p), decidable=case not in undecidable)
        for case, pair, p in zip(shared, pairs, chances, strict=True)
    ]
    missing = [
        _alone(case, Verdict.MISSING, len(baseline.rounds(before[case])), 0) for case in before if case not in after
    ]
    new = [_alone(case, Verdict.NEW, 0, len(run.rounds(after[case]))) for case in after if case not in before]
    return judged + missing + new


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Logarithms of a case's seconds, one a round: relative to the yardstick's, and as they are."""

    relative: NDArray[np.float64]
    absolute: NDArray[np.float64]


def _cases(times: Times) -> dict[Case, Block]:
    return {case: block for block in times.blocks for case in block.cases}


def _rounds(times: Times, block: Block, case: Case) -> _Rounds:
    seconds = times.seconds(block)
    arm = block.cases.index(case)
    return _Rounds(log_ratios(seconds, arm, -1), np.log(np.nanmedian(seconds[:, arm], axis=-1)))


def regrouped(baseline: Times, run: Times) -> list[Case]:
    """Return the cases of both that shared their block with other cases then than now."""
    before, after = _cases(baseline), _cases(run)
    return [case for case in after if case in before and before[case].arms != after[case].arms]


def _judged(case: Case, rounds: tuple[_Rounds, _Rounds], allowed: float, chance: float, *, decidable: bool) -> Change:
    old, new = rounds
    centre, low, high = shift(old.relative, new.relative)
    absolute, absolute_low, absolute_high = shift(old.absolute, new.absolute)
    return Change(
        case=case,
        verdict=_verdict(low, high, allowed, chance) if decidable else Verdict.INCONCLUSIVE,
        ratio=exp(centre),
        low=exp(low),
        high=exp(high),
        absolute=exp(absolute),
        absolute_low=exp(absolute_low),
        absolute_high=exp(absolute_high),
        chance=chance,
        baseline_rounds=len(old.relative),
        rounds=len(new.relative),
    )


def _verdict(low: float, high: float, allowed: float, chance: float) -> Verdict:
    if chance <= 1 - CONFIDENCE:
        if low > allowed:
            return Verdict.REGRESSED
        if high < -allowed:
            return Verdict.IMPROVED
    if -allowed <= low and high <= allowed:
        return Verdict.UNCHANGED
    return Verdict.INCONCLUSIVE


def _alone(case: Case, verdict: Verdict, baseline_rounds: int, rounds: int) -> Change:
    return Change(case, verdict, nan, nan, nan, nan, nan, nan, nan, baseline_rounds, rounds)


def gravest(found: Sequence[Change]) -> list[Change]:
    """Return the changes by verdict, the gravest first, and the largest change first within a verdict."""
    rank = list(Verdict)

    def key(change: Change) -> tuple[int, float, str]:
        return rank.index(change.verdict), 0.0 if isnan(change.ratio) else -abs(log(change.ratio)), change.case.id

    return sorted(found, key=key)
