"""What each rung of the overhead ladder takes, and what it adds over the one before: paired inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from actbench.analysis.statistics import Bounded, location, medians, paired
from actbench.model.cases import Block, Case
from actbench.model.times import Times


@dataclass(frozen=True, slots=True)
class Step:
    """One rung. Seconds of a call."""

    case: Case
    seconds: Bounded
    added: Bounded | None
    """Over the next lower rung of the backend that was measured; None for the lowest."""


def steps(times: Times, block: Block) -> Iterator[Step]:
    """Yield the rungs of a block, each backend's from the lowest on; nothing for a block of derivatives."""
    seconds = times.seconds(block)
    lower: dict[str, int] = {}
    for arm, case in enumerate(block.cases):
        if case.is_rung:
            below = lower.get(case.backend)
            own = Bounded.of_logs(location(np.log(medians(seconds[:, arm]))))
            added = None if below is None else location(paired(seconds[:, arm], seconds[:, below]))
            yield Step(case, own, None if added is None else Bounded(*map(float, added)))
            lower[case.backend] = arm
