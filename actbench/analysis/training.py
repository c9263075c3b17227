"""What the arms of a training step differ in: its time, the parts of it, and what the activation alone predicts.

The **gain** of an arm is the share of the reference's step that it saves: 1 less the ratio of their times, paired in
every round. The reference is ``recompute`` on the same backend, or the first arm there. What it should be by the
activation alone is in `actbench.analysis.training_gains`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import Floats, hodges_lehmann, intervals_of_logs, medians
from actbench.analysis.training_gains import IN_STEP, Alone, GainPrediction, SavedInStep
from actbench.model.cases import Arm, Block, Case
from actbench.model.checks import StepCheck
from actbench.model.times import Times
from actbench.model.training import ARMS, RECOMPUTE, SHIPPED, StepPart
from actbench.model.variants import Variant
from actbench.runs.record import Record


@dataclass(frozen=True, slots=True)
class PartTime:
    """A part of an instrumented step."""

    part: StepPart
    seconds: Interval
    share: Interval
    """Of the instrumented step; scaled so that the shares of all parts add up to 1, as they do in every round."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What is known of one arm of a training step."""

    case: Case
    seconds: Interval
    """Of one step."""
    rounds: int
    reference: Variant
    """What it is compared with on the same backend."""
    speedup: Interval | None
    """Times faster than the reference; None for the reference itself."""
    over_shipped: Interval | None
    """Times faster than the framework's own; None where there is none, and for itself."""
    gain: Interval | None
    """The share of the reference's step that it saves; None for the reference itself."""
    parts: tuple[PartTime, ...]
    """Empty where the step is compiled as a whole."""
    excess: Interval | None
    """How much longer the instrumented step takes than the timed one, as a share of this; None without parts."""
    check: StepCheck | None
    """None in runs that ended before it."""
    elsewhere: Interval | None = None
    """What it saves of all parts but the activation's in instrumented steps, as a share of the reference's; None
    without parts, and for the reference itself."""
    predictions: Mapping[str, GainPrediction] = field(default_factory=dict)
    """For strategies other than the reference: `IN_STEP`, and states of operands of the activation alone."""


def results(times: Times, record: Record) -> Iterator[ArmResult]:
    """Yield what is known of every arm of every block that was measured, in the order of the plan."""
    checks = {check.case: check for check in record.step_checks}
    for block in times.blocks:
        yield from _Arms(times, block, record).results(checks)


class _Arms:
    """The arms of one block, with their times by round."""

    def __init__(self, times: Times, block: Block, record: Record) -> None:
        parts = record.parts.get(block.id, {})
        self._block, self._times = block, times
        self._rounds = times.rounds(block)
        self._seconds = times.seconds(block)
        self._medians = medians(self._seconds)
        self._parts = {number: parts[number] for number in self._rounds if number in parts}
        training = record.plan.training
        assert training is not None  # noqa: S101  # who asks has training steps
        predictors = {*training.predictors_of([block])}
        alone = [probe for probe in times.probes if probe in predictors]
        self._alone = {
            state: Alone(times, [probe for probe in alone if probe.operands is state], training.elements(block))
            for state in dict.fromkeys(probe.operands for probe in alone)
        }

    def results(self, checks: Mapping[Case, StepCheck]) -> Iterator[ArmResult]:
        """Yield the result of each arm."""
        seconds = intervals_of_logs(np.log(self._medians[:, arm]) for arm in range(len(self._block.arms)))
        for arm, case in enumerate(self._block.cases):
            first, shipped = self._reference(case.backend), self._arm(SHIPPED, case.backend)
            others = arm != first
            yield ArmResult(
                case,
                seconds[arm],
                len(self._rounds),
                self._block.arms[first].strategy,
                Interval.from_logs(hodges_lehmann(self._logs(first, arm))) if others else None,
                None if shipped in {None, arm} else Interval.from_logs(hodges_lehmann(self._logs(shipped, arm))),
                hodges_lehmann(self._gains(first, arm)) if others else None,
                tuple(self._part_times(arm)),
                self._excess(arm),
                checks.get(case),
                self._elsewhere(first, arm) if others else None,
                dict(self._predictions(first, arm)) if others and case.strategy not in ARMS else {},
            )

    def _arm(self, strategy: Variant, backend: str) -> int | None:
        arms = self._block.arms
        return arms.index(Arm(strategy, backend)) if Arm(strategy, backend) in arms else None

    def _reference(self, backend: str) -> int:
        """Return the arm that others of a backend are compared with: recompute, or else the first one."""
        arm = self._arm(RECOMPUTE, backend)
        of_backend = (index for index, other in enumerate(self._block.arms) if other.backend == backend)
        return next(of_backend) if arm is None else arm

    def _logs(self, reference: int | None, arm: int) -> Floats:
        assert reference is not None  # noqa: S101  # who asks has one
        return log_ratios(self._seconds, reference, arm)

    def _gains(self, reference: int, arm: int) -> Floats:
        """Return the share of the reference's time that an arm saves, by round."""
        return -np.expm1(-self._logs(reference, arm))

    def _of_parts(self, arm: int, rounds: Sequence[int] | None = None) -> Floats:
        """Return the seconds of the parts of an arm's instrumented steps: rounds x parts, none without parts."""
        of_arm = [self._parts[number][arm] for number in (self._parts if rounds is None else rounds)]
        return np.array([seconds for seconds in of_arm if seconds]).reshape(-1, len(StepPart))

    def _with_parts(self, *arms: int) -> list[int]:
        """Return the rounds in which all of these arms have parts."""
        return [number for number, parts in self._parts.items() if all(parts[arm] for arm in arms)]

    def _timed(self, arm: int, rounds: Sequence[int]) -> Floats:
        """Return the seconds of an arm's timed step, by round."""
        return self._medians[[self._rounds.index(number) for number in rounds], arm]

    def _saved_in_step(self, reference: int, arm: int, rounds: Sequence[int]) -> SavedInStep:
        before, after = (self._of_parts(index, rounds) for index in (reference, arm))
        return SavedInStep.of(before - after, self._timed(reference, rounds))

    def _elsewhere(self, reference: int, arm: int) -> Interval | None:
        rounds = self._with_parts(reference, arm)
        return hodges_lehmann(self._saved_in_step(reference, arm, rounds).elsewhere) if rounds else None

    def _part_times(self, arm: int) -> Iterator[PartTime]:
        seconds = self._of_parts(arm)
        if seconds.size:
            shares = [hodges_lehmann(share) for share in (seconds / seconds.sum(axis=1, keepdims=True)).T]
            total = sum(share.value for share in shares)
            for part, of_part, share in zip(StepPart, seconds.T, shares, strict=True):
                yield PartTime(part, hodges_lehmann(of_part), share.scaled(1 / total))

    def _excess(self, arm: int) -> Interval | None:
        totals = self._of_parts(arm).sum(axis=1)
        if not totals.size:
            return None
        return hodges_lehmann(totals / self._timed(arm, self._with_parts(arm)) - 1)

    def _predictions(self, reference: int, arm: int) -> Iterator[tuple[str, GainPrediction]]:
        """Yield the predicted gain by what it is predicted from: the activation in the step, and alone."""
        gains = self._gains(reference, arm)
        both = self._with_parts(reference, arm)
        if both:
            in_step = self._saved_in_step(reference, arm, both)
            measured = gains[[self._rounds.index(number) for number in both]]
            yield IN_STEP, in_step.prediction(in_step.activation, measured)
        for state, alone in self._alone.items():
            saving = alone.saving(*(self._block.arms[index] for index in (reference, arm)))
            rounds = sorted(saving.rounds & {*both}) if saving else []
            if not saving or not rounds:
                continue
            of_parts, timed = self._of_parts(reference, rounds), self._timed(reference, rounds)
            shares = dict(zip(StepPart, (of_parts / timed[:, np.newaxis]).T, strict=True))
            predicted = np.sum([shares[part] * saved for part, saved in saving.by_part(rounds)], axis=0)
            known = [number for number, share in zip(rounds, predicted, strict=True) if not np.isnan(share)]
            if known:
                measured = gains[[self._rounds.index(number) for number in known]]
                in_step = self._saved_in_step(reference, arm, known)
                yield state, in_step.prediction(predicted[~np.isnan(predicted)], measured)
