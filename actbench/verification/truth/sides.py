"""What a function does on either side of a z: whether it jumps, or bends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sides:
    """Slopes just before and after a z, the function's values there, and what these show."""

    left: float
    right: float
    before: float
    after: float
    jumps: bool
    """Whether the values stay apart as one comes nearer to z."""
    bends: bool
    """Whether the slopes do."""

    def words(self, z: float) -> str:
        """Say what is the matter with g itself, and nothing where it is smooth."""
        if self.jumps:
            before, after = _apart(self.before, self.after)
            return f"g itself jumps at z = {z:.6g}, from {before} to {after}: it has no derivative there"
        if self.bends:
            left, right = _apart(self.left, self.right)
            return (
                f"g itself has a kink at z = {z:.6g}, with slope {left} before and {right} after: "
                f"declare kinks={{{z:.6g}: {left}}}, or whichever slope counts"
            )
        return ""


def _apart(one: float, other: float) -> tuple[str, str]:
    """Return two numbers in six digits, or in as many as it takes to tell them apart."""
    pairs = ((f"{one + 0:.{digits}g}", f"{other + 0:.{digits}g}") for digits in (6, 9, 12, 17))
    return next((pair for pair in pairs if pair[0] != pair[1]), (f"{one!r}", f"{other!r}"))
