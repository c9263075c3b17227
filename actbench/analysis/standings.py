"""Which arms of a block may be the fastest, while they are being measured.

The leader is the arm whose median of the paired log ratios to the first arm is the least. Another arm is **slower**
when the interval of its time over the leader's lies above 1, a **tie** when it lies within the margin on both sides of
1, and **open** as long as neither is shown. The intervals hold at any time, whenever measuring stops, for all
comparisons with the leader together (`actbench.analysis.sequential`): in at most one race of twenty is the fastest arm
taken for a slower one, or a slower one for a tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from actbench.analysis import sequential
from actbench.analysis.interval import Interval
from actbench.analysis.sequential import TAIL_PROBABILITY, median_interval
from actbench.analysis.speedups import log_ratios
from actbench.analysis.statistics import Floats, intervals_of_logs, medians
from actbench.model.cases import Arm


class Standing(StrEnum):
    """Where an arm stands in comparison with the leader."""

    LEADS = "fastest"
    TIE = "tie"
    OPEN = "open"
    SLOWER = "slower"


@dataclass(frozen=True, slots=True)
class PairedRounds:
    """The times of an arm over the leader's, round by round."""

    fastest: float
    """The smallest ratio of a round."""
    slowest: float
    slower: int
    """The number of rounds in which it took longer than the leader."""
    below: int
    """The number of rounds in which it took no longer than the leader by the margin."""
    above: int
    """The number of rounds in which the leader took no longer than it by the margin."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of an arm."""

    arm: Arm
    standing: Standing
    ratio: Interval
    """Its time over the leader's; of the leader itself, 1."""
    seconds: Interval
    """Of one call, or one step of a network."""
    rounds: int
    """The number of rounds that it is known from."""
    paired: PairedRounds | None = None
    """What these show one by one; None of an arm that lost in an earlier run, or to one that does not lead now."""
    slower_than: Arm | None = None
    """The arm that it is shown to be slower than, where that is not the leader: over the leader it may take as long."""


def standings(arms: Sequence[Arm], seconds: Floats, margin: float, comparisons: int) -> list[Place]:
    """Return the place of each arm.

    `seconds` is rounds x arms x values, further arms after these; `comparisons` the number of arms beside one when
    nothing was measured, and `margin` the share of the leader's time that makes no difference.
    """
    leader = fastest_of(seconds[:, : len(arms)])
    tail = TAIL_PROBABILITY / max(1, comparisons)
    of_call = intervals_of_logs(np.log(medians(seconds)).T[: len(arms)])
    return [
        Place(
            arm,
            *_compared(seconds, index, leader, margin, tail),
            of_call[index],
            len(seconds),
            _paired(log_ratios(seconds, index, leader), margin),
        )
        for index, arm in enumerate(arms)
    ]


def fastest_of(seconds: Floats) -> int:
    """Return the index of the arm whose median of the paired log ratios to the first one is the least."""
    return int(np.argmin([float(np.median(log_ratios(seconds, arm, 0))) for arm in range(seconds.shape[1])]))


def time_over(seconds: Floats, arm: int, reference: int, tail: Fraction) -> Interval:
    """Return the time of an arm over that of another: paired, with an interval that either bound misses with `tail`.

    It holds at any time, whenever measuring stops; of an arm over itself it is 1.
    """
    if arm == reference:
        return Interval(1.0, 1.0, 1.0)
    return Interval.from_logs(median_interval(log_ratios(seconds, arm, reference), tail))


def _paired(logs: Floats, margin: float) -> PairedRounds:
    """Return what rounds show one by one: the logarithms of an arm's time over the leader's."""
    allowed = np.log1p(margin)
    return PairedRounds(
        float(np.exp(np.min(logs))),
        float(np.exp(np.max(logs))),
        int(np.count_nonzero(logs > 0)),
        int(np.count_nonzero(logs < allowed)),
        int(np.count_nonzero(logs > -allowed)),
    )


def _compared(seconds: Floats, arm: int, leader: int, margin: float, tail: Fraction) -> tuple[Standing, Interval]:
    """Return the standing of an arm, and its time over the leader's."""
    ratio = time_over(seconds, arm, leader, tail)
    if arm == leader:
        return Standing.LEADS, ratio
    if takes_as_long(ratio, margin):
        return Standing.TIE, ratio
    return (Standing.SLOWER if ratio.low > 1 else Standing.OPEN), ratio


def takes_as_long(ratio: Interval, margin: float) -> bool:
    """Return whether the interval of a ratio of times lies within the margin, which makes no difference either way."""
    return 1 / (1 + margin) < ratio.low and ratio.high < 1 + margin


def fewest_rounds(arms: int) -> int:
    """Return the number of rounds after which one of so many arms can be shown to be slower."""
    return sequential.fewest_rounds(float(TAIL_PROBABILITY / max(1, arms - 1)))


def is_decided(places: Sequence[Place]) -> bool:
    """Return whether every arm is the leader, a tie, or slower."""
    return all(place.standing is not Standing.OPEN for place in places)
