"""The time of each rung of the overhead ladder, and what it adds to the rung before: paired inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import hodges_lehmann, median_differences, medians
from actbench.model.cases import Block, Case
from actbench.model.times import Times


@dataclass(frozen=True, slots=True)
class Step:
    """One rung, in seconds per call."""

    case: Case
    seconds: Interval
    added: Interval | None
    """Seconds added to the next lower measured rung of the backend; None for the lowest rung."""


def steps(times: Times, block: Block) -> Iterator[Step]:
    """Yield the rungs of a block of the ladder, by backend and upwards."""
    seconds = times.seconds(block)
    lower: dict[str, int] = {}
    for arm, case in enumerate(block.cases):
        below = lower.get(case.backend)
        rung_seconds = Interval.from_logs(hodges_lehmann(np.log(medians(seconds[:, arm]))))
        added = None if below is None else hodges_lehmann(median_differences(seconds[:, arm], seconds[:, below]))
        yield Step(case, rung_seconds, added)
        lower[case.backend] = arm
