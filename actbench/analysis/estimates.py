"""The estimate of every case, with the rounds that it comes from: what other tools are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np

from actbench.analysis.statistics import locations
from actbench.analysis.typical import by_round, typical
from actbench.errors import InputError
from actbench.model import Case
from actbench.runs.times import Times


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
    found = []
    cases = {case: rounds for case, rounds in typical(times, by_round(times)).items() if not case.is_yardstick}
    bounds = np.exp(locations(np.log(rounds.seconds) for rounds in cases.values())).tolist()
    for (case, of_case), (seconds, low, high) in zip(cases.items(), bounds, strict=True):
        calls = (loops[case] * of_case.values).tolist()
        rounds = tuple(map(Round, of_case.seconds.tolist(), calls))
        found.append(Estimate(case, seconds, low, high, loops[case], rounds))
    if not found:
        raise InputError("the run has no finished block yet: go on with it (actbench run --resume), then export it")
    return found
