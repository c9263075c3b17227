"""How a block is timed, fixed for a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a block is timed, fixed for a run; the k-th entry is the k-th arm's, the yardstick's the last.

    An arm is timed ``values[k]`` times a round; each value is the sum of ``slices`` alternating slices of ``loops[k]``
    calls. Arms whose calls are slow take part in the first values only, so that every arm gets about the same time.
    """

    loops: tuple[int, ...]
    values: tuple[int, ...]
    slices: int
    round_seconds: float
    """What one round of the block is predicted to take."""

    def calls(self, arm: int) -> int:
        """Calls in one value of an arm: pyperf's ``loops``."""
        return self.loops[arm] * self.slices
