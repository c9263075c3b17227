"""What a function does on either side of a z: whether it jumps, or bends."""

from __future__ import annotations

from dataclasses import dataclass

JUMP = 1e-6
"""What two neighbours differ by at least, relative to their size, where a function jumps."""

BEND = 1e-3
"""What the slopes on the two sides differ by at least, relative to their size, at a kink."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Slopes just before and after a z, and the function's values there."""

    left: float
    right: float
    before: float
    after: float

    def words(self, z: float) -> str:
        """Say what is the matter with g itself, and nothing where it is smooth."""
        if abs(self.after - self.before) > JUMP * max(1.0, abs(self.after), abs(self.before)):
            return (
                f"g itself jumps at z = {z:.6g}, from {self.before:.6g} to {self.after:.6g}: it has no derivative there"
            )
        if abs(self.right - self.left) > BEND * max(abs(self.right), abs(self.left)):
            return (
                f"g itself has a kink at z = {z:.6g}, with slope {self.left:.6g} before and {self.right:.6g} after: "
                f"declare kinks={{{z:.6g}: {self.left:.6g}}}, or whichever slope counts"
            )
        return ""
