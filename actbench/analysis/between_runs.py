"""Comparison of two runs, a baseline and a candidate, case by case and over groups of cases.

The compared figures are ratios of a case to another arm of its block, measured side by side. The ratio to the yardstick
cancels the host's drift, and makes times of two hosts comparable. Between hosts there is also the ratio to the
reference strategy of the same backend: is keeping y worth more on the other host? The round is the unit. A group has
one state of operands, and one geometric mean per round, over the rounds in which all of its blocks were measured;
estimates and intervals are those of two independent samples of rounds.

A difference is named where its test is significant after the correction for the tests in the same table, which bounds
the false discovery rate by 5 % (Benjamini and Hochberg). On one host the time itself must differ as well, in the same
direction: the larger p-value of the two tests counts. Where only the time relative to the yardstick differs, the
yardstick or the host changed, and not the case. There is no margin here: `regression` has one, and decides whether a
build fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import (
    CONFIDENCE,
    false_discovery_control,
    hodges_lehmann,
    hodges_lehmann_shift,
    mann_whitney_p_value,
    medians,
)
from actbench.analysis.within_run import Axis, order, seconds_at, value_of
from actbench.model.cases import YARDSTICK, Arm, Block, Case
from actbench.model.names import OperandState
from actbench.model.times import Times
from actbench.model.variants import Variant

ROUNDING = 1e-8
"""Relative differences below this come from rounding to nine digits in the files."""

RECOMPUTE = Variant("recompute")
TIME = "time"
"""The figure of a single case: its time in copies, which is the time over that of the block's yardstick."""

EVERYTHING = "all"
"""The group of all compared cases with one state of operands."""


class Trend(StrEnum):
    """The change of a figure from the baseline to the candidate."""

    FASTER = "faster"
    SLOWER = "slower"
    LARGER = "larger"
    """Of a speedup."""
    SMALLER = "smaller"
    UNDECIDED = "undecided"
    MISSING = "missing"
    """The baseline has the case, the candidate does not."""
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A figure in both runs, of a case or of a group."""

    figure: str
    """`TIME`, or a speedup: ``cached / recompute``."""
    by: str
    """``case``, the axis of a group, or `EVERYTHING`."""
    name: str
    """The case's id, the group's value on the axis, or `EVERYTHING`."""
    operands: OperandState
    """The state of operands of the case, or of all cases of the group."""
    cases: int
    """Number of cases, of which the figure is the geometric mean."""
    finding: Trend
    ratio: Interval = NO_ESTIMATE
    """Baseline over candidate time, or candidate over baseline speedup: above 1 the candidate is better."""
    seconds_ratio: Interval = NO_ESTIMATE
    """Baseline seconds over candidate seconds, including the host's drift; for times on one host only."""
    baseline: Interval = NO_ESTIMATE
    """The figure itself: a time in copies, or times faster than the reference strategy."""
    candidate: Interval = NO_ESTIMATE
    p_value: float = nan
    """The p-value of a difference, corrected for the number of tests (Benjamini and Hochberg)."""
    baseline_rounds: int = 0
    candidate_rounds: int = 0
    relative_p_value: float = nan
    """The p-value of a difference relative to the yardstick, on one host; `p_value` is the larger one of both tests."""

    @property
    def yardstick_moved(self) -> bool:
        """Whether the time relative to the yardstick differs, but not the time itself."""
        return self.relative_p_value <= 1 - CONFIDENCE < self.p_value


@dataclass(frozen=True, slots=True)
class Between:
    """The comparison of two runs."""

    one_host: bool
    by: Axis | None
    """The axis of the groups; None for a comparison case by case."""
    times: tuple[Contrast, ...]
    """The cases or groups, then all together."""
    speedups: tuple[Contrast, ...]
    """The same for speedups, with all cases of each pair of strategies; empty on one host, where times suffice."""
    one_sided: tuple[Contrast, ...]
    """The cases that one run measured and the other did not."""
    regrouped: tuple[Case, ...]
    """The cases whose blocks have other cases in the other run: no finding on them is possible."""


def between(baseline: Times, candidate: Times, by: Axis | None = None, *, one_host: bool) -> Between:
    """Compare all that both runs measured, by case or by group."""
    before, after = _RunTimes.of(baseline), _RunTimes.of(candidate)
    shared = [case for case in before.blocks if case in after.blocks]
    moved = tuple(case for case in shared if before.blocks[case].arms != after.blocks[case].arms)
    subjects = [
        _CaseGroup(TIME, YARDSTICK, state, of_state)
        for state in OperandState
        if (of_state := tuple(case for case in shared if case.operands is state))
    ]

    def compared(subjects: Sequence[_CaseGroup], better: Trend, worse: Trend) -> tuple[Contrast, ...]:
        parts = [part for subject in subjects for part in subject.parts(by)]
        wholes = [subject for subject in subjects if len(subject.parts(by)) > 1]
        families = (
            [_contrast(before, after, part, moved, seconds=one_host) for part in family] for family in (parts, wholes)
        )
        return tuple(change for family in families for change in _corrected(family, better, worse))

    return Between(
        one_host=one_host,
        by=by,
        times=compared(subjects, Trend.FASTER, Trend.SLOWER),
        speedups=() if one_host else compared(_pairs(shared, before, after), Trend.LARGER, Trend.SMALLER),
        one_sided=(*_one_sided(before, after, Trend.MISSING), *_one_sided(after, before, Trend.NEW)),
        regrouped=moved,
    )


@dataclass(frozen=True, slots=True)
class _CaseGroup:
    """Cases that share a figure, and the strategy with which the figure compares them."""

    figure: str
    reference: Variant
    operands: OperandState
    cases: tuple[Case, ...]
    by: str = EVERYTHING
    name: str = EVERYTHING

    def parts(self, by: Axis | None) -> list[_CaseGroup]:
        """Return one group per case, or one per value of the axis, in the order of tables."""
        if by is None:
            return [replace(self, cases=(case,), by="case", name=case.id) for case in self.cases]
        values = sorted(dict.fromkeys(value_of(case, by) for case in self.cases), key=lambda value: order(by, value))
        return [
            replace(self, cases=tuple(case for case in self.cases if value_of(case, by) == value), by=by, name=value)
            for value in values
        ]


@dataclass(frozen=True, slots=True)
class _RunTimes:
    """The rounds of one run, by case."""

    times: Times
    blocks: Mapping[Case, Block]

    @classmethod
    def of(cls, times: Times) -> _RunTimes:
        return cls(times, {case: block for block in times.blocks for case in block.cases})

    def rounds(self, subject: _CaseGroup) -> list[int]:
        """Return the rounds in which every block of the subject was measured."""
        return sorted(set.intersection(*({*self.times.rounds(self.blocks[case])} for case in subject.cases)))

    def log_speeds(self, subject: _CaseGroup) -> NDArray[np.float64]:
        """Return the speed relative to the reference, one logarithm per round: the mean over the cases."""
        rounds = self.rounds(subject)
        return np.asarray(np.mean([self._log_speed(case, subject.reference, rounds) for case in subject.cases], axis=0))

    def log_rates(self, subject: _CaseGroup) -> NDArray[np.float64]:
        """Return calls per second, one logarithm per round: the mean over the cases."""
        rounds = self.rounds(subject)
        return np.asarray(np.mean([self._log_rate(case, rounds) for case in subject.cases], axis=0))

    def _log_speed(self, case: Case, reference: Variant, rounds: Sequence[int]) -> NDArray[np.float64]:
        block = self.blocks[case]
        other = -1 if reference == YARDSTICK else block.arms.index(Arm(reference, case.backend))
        return log_ratios(seconds_at(self.times, block, rounds), other, block.cases.index(case))

    def _log_rate(self, case: Case, rounds: Sequence[int]) -> NDArray[np.float64]:
        block = self.blocks[case]
        seconds = seconds_at(self.times, block, rounds)[:, block.cases.index(case)]
        return np.asarray(-np.log(medians(seconds)))


def _pairs(shared: Sequence[Case], before: _RunTimes, after: _RunTimes) -> list[_CaseGroup]:
    """Pair every strategy with the reference of its backend: recompute, or the first that both runs have."""
    members: dict[tuple[Variant, Variant, OperandState], list[Case]] = {}
    for case in shared:
        both = [
            arm for arm in before.blocks[case].arms if arm in after.blocks[case].arms and arm.backend == case.backend
        ]
        present = [arm.strategy for arm in both]
        reference = RECOMPUTE if RECOMPUTE in present else present[0]
        if case.strategy != reference:
            members.setdefault((case.strategy, reference, case.operands), []).append(case)
    return [
        _CaseGroup(f"{strategy} / {reference}", reference, operands, tuple(cases))
        for (strategy, reference, operands), cases in members.items()
    ]


def _contrast(
    before: _RunTimes, after: _RunTimes, subject: _CaseGroup, moved: Sequence[Case], *, seconds: bool
) -> Contrast:
    """Compare one group; its finding follows once all p-values of the table are corrected."""
    rounds = len(before.rounds(subject)), len(after.rounds(subject))
    contrast = Contrast(
        figure=subject.figure,
        by=subject.by,
        name=subject.name,
        operands=subject.operands,
        cases=len(subject.cases),
        finding=Trend.UNDECIDED,
        baseline_rounds=rounds[0],
        candidate_rounds=rounds[1],
    )
    if not all(rounds):
        return contrast
    old, new = before.log_speeds(subject), after.log_speeds(subject)
    sign = -1 if subject.reference == YARDSTICK else 1
    rates = [(before.log_rates(subject), after.log_rates(subject))] if seconds else []
    decidable = not {*subject.cases} & {*moved}
    return replace(
        contrast,
        ratio=Interval.from_logs(hodges_lehmann_shift(old, new)),
        seconds_ratio=Interval.from_logs(hodges_lehmann_shift(*rates[0])) if rates else NO_ESTIMATE,
        baseline=Interval.from_logs(hodges_lehmann(sign * old)),
        candidate=Interval.from_logs(hodges_lehmann(sign * new)),
        p_value=_two_sided_p_value((old, new), *rates) if decidable else nan,
        relative_p_value=_two_sided_p_value((old, new)) if decidable and seconds else nan,
    )


def _two_sided_p_value(*pairs: tuple[ArrayLike, ArrayLike]) -> float:
    """Return the p-value of "no difference in at least one of these pairs, or not all in the same direction".

    For one pair, old and new, it is that of the two-sided Mann-Whitney test. For several pairs it is the larger one of
    a direction, which is an intersection-union test (R. L. Berger, "Multiparameter hypothesis testing and acceptance
    sampling", Technometrics 24, 1982).
    """
    above = max(mann_whitney_p_value(old, new, ROUNDING) for old, new in pairs)
    below = max(mann_whitney_p_value(new, old, ROUNDING) for old, new in pairs)
    return min(1.0, 2 * above, 2 * below)


def _corrected(contrasts: Sequence[Contrast], better: Trend, worse: Trend) -> Iterator[Contrast]:
    """Yield the contrasts with their findings; a group that cannot be decided does not count as a test."""
    p_values = false_discovery_control([contrast.p_value for contrast in contrasts]).tolist()  # NaN does not count
    relative = false_discovery_control([contrast.relative_p_value for contrast in contrasts]).tolist()
    for contrast, p_value, of_relative in zip(contrasts, p_values, relative, strict=True):
        differs = p_value <= 1 - CONFIDENCE
        trend = (better if contrast.ratio.value > 1 else worse) if differs else Trend.UNDECIDED
        yield replace(contrast, finding=trend, p_value=p_value, relative_p_value=of_relative)


def _one_sided(present: _RunTimes, absent: _RunTimes, trend: Trend) -> Iterator[Contrast]:
    """Yield the cases that only one run has, without figures."""
    for case, block in present.blocks.items():
        if case not in absent.blocks:
            rounds = len(present.times.rounds(block))
            both = (rounds, 0) if trend is Trend.MISSING else (0, rounds)
            figure = Contrast(TIME, "case", case.id, case.operands, 1, trend)
            yield replace(figure, baseline_rounds=both[0], candidate_rounds=both[1])
