"""What each rung of the overhead ladder takes, and what it adds over the one before: paired inside a block."""

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
    """One rung. Seconds of a call."""

    case: Case
    seconds: Interval
    added: Interval | None
    """Over the next lower rung of the backend that was measured; None for the lowest."""


def steps(times: Times, block: Block) -> Iterator[Step]:
    """Yield the rungs of a block, each backend's from the lowest on; nothing for a block of derivatives."""
    seconds = times.seconds(block)
    lower: dict[str, int] = {}
    for arm, case in enumerate(block.cases):
        if case.is_rung:
            below = lower.get(case.backend)
            rung_seconds = Interval.from_logs(hodges_lehmann(np.log(medians(seconds[:, arm]))))
            added = None if below is None else hodges_lehmann(median_differences(seconds[:, arm], seconds[:, below]))
            yield Step(case, rung_seconds, added)
            lower[case.backend] = arm
