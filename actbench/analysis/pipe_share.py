"""What a measured call reaches of its pipe bound, and the clock that it had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import hodges_lehmann


@dataclass(frozen=True, slots=True)
class PipeShare:
    """Of one case; intervals over repeats in one process."""

    cycles: Interval
    """Of a call."""
    element: Interval | None
    """Cycles of an element in the L1 cache, without those of the call.

    None where they were not measured, or the host was too unsteady.
    """
    gigahertz: Interval
    """The clock while it was measured."""


def pipe_share(
    seconds: Sequence[Sequence[float]], sizes: tuple[int, int] | None, cycle_seconds: Sequence[float]
) -> PipeShare:
    """Return what repeats come to.

    Args:
        seconds: By repeat, of a call of the case, and of calls on fewer and on more elements in the first-level cache.
        sizes: Those numbers of elements; None where only the case was measured.
        cycle_seconds: By repeat, of a cycle of the processor.
    """
    (case, *in_cache), cycles = map(np.asarray, seconds), np.log(cycle_seconds)
    clock = Interval.from_logs(hodges_lehmann(-cycles)).scaled(1e-9)
    element = None
    if sizes:
        fewer, more = in_cache
        further = (more - fewer) / (sizes[1] - sizes[0])
        element = Interval.from_logs(hodges_lehmann(np.log(further) - cycles)) if np.all(further > 0) else None
    return PipeShare(Interval.from_logs(hodges_lehmann(np.log(case) - cycles)), element, clock)


def percent_of(bound: float, cycles: Interval) -> Interval:
    """Return what share of a bound, in cycles, is reached by what takes so many."""
    return cycles.inverse().scaled(100 * bound)
