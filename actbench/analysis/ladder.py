"""What each rung of the overhead ladder takes, and what it adds over the one before: paired inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import Bounded, location
from actbench.model import Block, Case
from actbench.runs.times import Times


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
            own = Bounded.of_logs(location(np.log(np.nanmedian(seconds[:, arm], axis=-1))))
            yield Step(case, own, None if below is None else _difference(seconds, arm, below))
            lower[case.backend] = arm


def _difference(seconds: NDArray[np.float64], arm: int, below: int) -> Bounded:
    """Return by how many seconds an arm exceeds another: by round the median over values of paired differences.

    Where one has fewer values than the other, it is the difference of their medians, as with ratios.
    """
    one, other = seconds[:, arm], seconds[:, below]
    paired = np.nanmedian(one - other, axis=-1)
    medians = np.nanmedian(one, axis=-1) - np.nanmedian(other, axis=-1)
    as_many = [np.sum(~np.isnan(each), axis=-1) for each in (one, other)]
    return Bounded(*(float(bound) for bound in location(np.where(as_many[0] == as_many[1], paired, medians))))
