"""The calibration of a block: how it is timed, fixed for a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibration of a block, fixed for a run; the k-th entry is for the k-th arm, the last one for the yardstick.

    An arm is timed ``values[k]`` times per round; each value is the sum of ``slices`` alternating slices of
    ``loops[k]`` calls. Slow arms take part only in the first values, so that every arm gets about the same time.
    """

    loops: tuple[int, ...]
    values: tuple[int, ...]
    slices: int
    round_seconds: float
    """The predicted duration of one round of the block."""

    def of_arms(self, places: Sequence[int]) -> Calibration:
        """Return the calibration of some of the arms."""
        loops, values = (tuple(entries[place] for place in places) for entries in (self.loops, self.values))
        return replace(self, loops=loops, values=values)

    def calls(self, arm: int) -> int:
        """Return the number of calls per value of an arm: pyperf's ``loops``."""
        return self.loops[arm] * self.slices
