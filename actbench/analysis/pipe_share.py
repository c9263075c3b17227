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
    gigahertz: Interval
    """The clock while it was measured."""

    def of_bound(self, cycles: float) -> Interval:
        """Return what share of a bound of so many cycles a call the case reaches, in percent."""
        return self.cycles.inverse().scaled(100 * cycles)


def pipe_share(seconds: Sequence[float], cycle_seconds: Sequence[float]) -> PipeShare:
    """Return what repeats come to, of which each has the seconds of a call and those of a cycle."""
    calls, cycles = np.log(seconds), np.log(cycle_seconds)
    clock = Interval.from_logs(hodges_lehmann(-cycles)).scaled(1e-9)
    return PipeShare(Interval.from_logs(hodges_lehmann(calls - cycles)), clock)
