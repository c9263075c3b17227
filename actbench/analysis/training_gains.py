"""What an arm of a training step should gain, predicted from the activation alone.

The prediction takes the shares of the activation's two passes in the reference's step, and what the arm saves of each
pass where it is measured alone, as ``actbench run`` does: at as many elements, in the same rounds, with operands in one
of their states. The forward passes differ where either arm stores something beside y there; alone, a forward pass is
what both passes take together less what the backward pass takes. Where a network has activations of several widths,
these are weighted by their elements. A further prediction takes what the arm saves of both passes in instrumented steps
(`IN_STEP`), where operands and results lie as a step leaves them.

Why a prediction may miss is read from instrumented steps of both arms (`Cause`). What the arm saves of everything but
the activation is a part of the gain that the activation alone does not show: products take longer after a pass that has
moved more memory through the caches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import Floats, hodges_lehmann, medians
from actbench.model.cases import Arm, Block
from actbench.model.names import Op
from actbench.model.times import Times
from actbench.model.training import RECOMPUTE, StepPart

IN_STEP = "in-step"
"""What a gain is predicted from beside states of operands: the passes of the activation in instrumented steps."""


class Cause(StrEnum):
    """Why a predicted gain is not the measured one; the three add up to the difference in every round."""

    ACTIVATION = "activation"
    """Alone, the activation saves another part of its time than in instrumented steps."""
    ELSEWHERE = "elsewhere"
    """Instrumented steps differ in other parts as well."""
    INSTRUMENTS = "instruments"
    """Instrumented steps differ by another share than timed ones."""


@dataclass(frozen=True, slots=True)
class GainPrediction:
    """The gain that is predicted from the activation: in instrumented steps, or alone with operands in one state."""

    gain: Interval
    difference: Interval
    """Predicted less measured gain, over the rounds that have both."""
    remaining: Interval
    """The same, of the gain that is predicted with what the arm saves elsewhere in instrumented steps."""
    causes: Mapping[Cause, Interval]
    """What the difference is made of."""
    rounds: int
    """Those that have both."""

    @property
    def shown_causes(self) -> dict[Cause, Interval]:
        """Those of the causes whose intervals exclude 0."""
        return {cause: part for cause, part in self.causes.items() if part.excludes(0.0)}


@dataclass(frozen=True, slots=True)
class SavedInStep:
    """What an arm saves in instrumented steps, as shares of the reference's timed step, by round.

    Of the instrumented step, which takes longer, they would be smaller than a gain is.
    """

    activation: Floats
    elsewhere: Floats
    """Of all other parts."""

    @classmethod
    def of(cls, seconds: Floats, step: Floats) -> SavedInStep:
        """Return what is saved, of the seconds saved of each part, rounds x parts, and of the reference's step."""
        saved = seconds / step[:, np.newaxis]
        of_activation = np.isin([*StepPart], OF_ACTIVATION)
        return cls(saved[:, of_activation].sum(axis=1), saved[:, ~of_activation].sum(axis=1))

    def prediction(self, predicted: Floats, measured: Floats) -> GainPrediction:
        """Return a prediction beside a measured gain, both by round."""
        by_round = {
            Cause.ACTIVATION: predicted - self.activation,
            Cause.ELSEWHERE: -self.elsewhere,
            Cause.INSTRUMENTS: self.activation + self.elsewhere - measured,
        }
        return GainPrediction(
            hodges_lehmann(predicted),
            hodges_lehmann(predicted - measured),
            hodges_lehmann(predicted + self.elsewhere - measured),
            {cause: hodges_lehmann(differences) for cause, differences in by_round.items()},
            len(predicted),
        )


OF_ACTIVATION = (StepPart.ACTIVATION_FORWARD, StepPart.ACTIVATION_BACKWARD)


class Alone:
    """The activations of a block of training steps, measured alone with operands in one state."""

    def __init__(self, times: Times, probes: Sequence[Block], elements: Sequence[int]) -> None:
        """Take the times, the blocks of one state, and the elements of each activation in the network."""
        self._times, self._elements = times, elements
        self._probes = {op: [probe for probe in probes if probe.op is op] for op in (Op.BACKWARD, Op.STEP)}

    def saving(self, reference: Arm, arm: Arm) -> Saving | None:
        """Return what an arm saves of the reference's passes; None where one of them was not measured alone.

        The passes together are measured of arms whose forward pass stores something and of those that are compared with
        one; of ``recompute``, which stores nothing, they say nothing of the arm beside it.
        """
        arms = _alone(reference), _alone(arm)
        backward, both = (self._with(op, arms) for op in (Op.BACKWARD, Op.STEP))
        storing = [one for one in arms if one.strategy != RECOMPUTE]
        stores = any(one in probe.arms for one in storing for probe in self._probes[Op.STEP])
        complete = backward and (both or not stores)
        return Saving(self._times, backward, both if stores else [], self._elements, arms) if complete else None

    def _with(self, op: Op, arms: tuple[Arm, Arm]) -> list[Block]:
        """Return the blocks of an op that have both arms, in the order of their sizes; none where a size is missing."""
        having = sorted((probe for probe in self._probes[op] if {*arms} <= {*probe.arms}), key=lambda probe: probe.size)
        return having if {probe.size for probe in having} == {*self._elements} else []


@dataclass(frozen=True)
class Saving:
    """What an arm saves of the reference's activation, by round and pass."""

    times: Times
    backward: Sequence[Block]
    both: Sequence[Block]
    """Forward and backward pass together, at the same sizes; none where the forward passes are the same."""
    elements: Sequence[int]
    arms: tuple[Arm, Arm]
    """The reference and the arm, of the activation alone."""

    @property
    def rounds(self) -> set[int]:
        """The rounds in which everything was measured."""
        return set.intersection(*({*self.times.rounds(probe)} for probe in (*self.backward, *self.both)))

    def by_part(self, rounds: Sequence[int]) -> Iterator[tuple[StepPart, Floats]]:
        """Yield the share of the reference's time that the arm saves in these rounds, of each pass that differs.

        It is NaN in a round in which both passes together took no longer than the backward pass.
        """
        backward = [self._seconds(probe, rounds) for probe in self.backward]
        yield StepPart.ACTIVATION_BACKWARD, self._weighted([saved / total for saved, total in backward])
        if self.both:
            both = [self._seconds(probe, rounds) for probe in self.both]
            forward = [
                (of_both - of_one for of_both, of_one in zip(*pair, strict=True))
                for pair in zip(both, backward, strict=True)
            ]
            yield StepPart.ACTIVATION_FORWARD, self._weighted([_share(saved, total) for saved, total in forward])

    def _seconds(self, probe: Block, rounds: Sequence[int]) -> tuple[Floats, Floats]:
        """Return the seconds that the arm saves of the reference's call, and those of this, by round."""
        of_rounds = [self.times.rounds(probe).index(number) for number in rounds]
        first, second = map(probe.arms.index, self.arms)
        seconds = self.times.seconds(probe)[of_rounds]
        reference = medians(seconds)[:, first]
        return reference * -np.expm1(-log_ratios(seconds, first, second)), reference

    def _weighted(self, by_size: Sequence[Floats]) -> Floats:
        """Return the mean over the network's activations, weighted by their elements."""
        weights = [probe.size * self.elements.count(probe.size) / sum(self.elements) for probe in self.backward]
        return np.asarray(np.average(by_size, axis=0, weights=weights), dtype=np.float64)


def _share(saved: Floats, total: Floats) -> Floats:
    return np.divide(saved, total, out=np.full_like(total, np.nan), where=total > 0)


def _alone(arm: Arm) -> Arm:
    """Return the arm of the activation alone: that of the backend which computes it."""
    return Arm(arm.strategy, arm.backend.rpartition("+")[2])
