"""The estimate of every case, with the rounds that it comes from: what other tools are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np

from actbench.analysis.statistics import locations
from actbench.analysis.typical import by_round
from actbench.errors import InputError
from actbench.model.cases import Case
from actbench.model.times import Times


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a case."""

    seconds: float
    """Of one call: the median of the round's values."""
    calls: int
    """In all values of the round."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one call of a case takes. Seconds."""

    case: Case
    seconds: float
    low: float
    """With `high` the bounds of the 95 % interval; NaN where there are too few rounds for one."""
    high: float
    loops: int
    """Calls in one value."""
    rounds: tuple[Round, ...]

    @property
    def has_interval(self) -> bool:
        """Whether there are enough rounds for one."""
        return not isnan(self.low)


def estimates(times: Times, loops: Mapping[Case, int]) -> list[Estimate]:
    """Return the estimates of all cases that were measured; `InputError` when none was.

    Yardsticks are left out. They tell about the machine and not about any code, so that a tool that looks for what got
    slower would only raise false alarms over them.
    """
    rounds = [
        (case, middles, np.sum(~np.isnan(values), axis=-1))
        for block, of_block in by_round(times).items()
        for case, middles, values in zip(block.cases, of_block.T, times.seconds(block).swapaxes(0, 1), strict=False)
    ]
    bounds = np.exp(locations(np.log(middles) for _, middles, _ in rounds)).tolist()
    found = [
        Estimate(
            case, seconds, low, high, loops[case], tuple(map(Round, middles.tolist(), (loops[case] * counts).tolist()))
        )
        for (case, middles, counts), (seconds, low, high) in zip(rounds, bounds, strict=True)
    ]
    if not found:
        raise InputError("the run has no finished block yet: go on with it (actbench run --resume), then export it")
    return found
