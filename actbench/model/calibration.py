"""The calibration of a block: how it is timed, fixed for a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

SLOW_CALL = 0.2
"""Seconds from which on a value of an arm is one call: the mirrored second one, with the untimed call that precedes it,
would take as long as another round, which tells more."""


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
    single: tuple[int, ...] = ()
    """The arms whose values have one slice only, since a call takes long (`SLOW_CALL`)."""

    def slices_of(self, arm: int) -> int:
        """Return the number of slices of an arm's value."""
        return 1 if arm in self.single else self.slices

    def of_arms(self, places: Sequence[int]) -> Calibration:
        """Return the calibration of some of the arms."""
        loops, values = (tuple(entries[place] for place in places) for entries in (self.loops, self.values))
        single = tuple(arm for arm, place in enumerate(places) if place in self.single)
        return replace(self, loops=loops, values=values, single=single)

    def longer(self, factor: float) -> Calibration:
        """Return a calibration that has so many times as many values, as slow as these."""
        values = tuple(max(count, round(factor * count)) for count in self.values)
        return replace(self, values=values, round_seconds=factor * self.round_seconds)

    def calls(self, arm: int) -> int:
        """Return the number of calls per value of an arm: pyperf's ``loops``."""
        return self.loops[arm] * self.slices_of(arm)
