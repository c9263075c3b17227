"""The behaviour of a function on either side of a z: whether it jumps or has a kink there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sides:
    """Slopes and values of a function just before and after a z, and whether it jumps or bends there."""

    left: float
    right: float
    before: float
    after: float
    jumps: bool
    """Whether the values remain different near z."""
    bends: bool
    """Whether the slopes remain different near z."""

    def words(self, z: float, *, of_second: bool = False) -> str:
        """Return what is wrong with g itself at z, or with g' for a second derivative; "" where it is smooth."""
        g, declaration = ("g'", "second_kinks") if of_second else ("g", "kinks")
        if self.jumps:
            before, after = _apart(self.before, self.after)
            return f"{g} itself jumps at z = {z:.6g}, from {before} to {after}: it has no derivative there"
        if self.bends:
            left, right = _apart(self.left, self.right)
            return (
                f"{g} itself has a kink at z = {z:.6g}, with slope {left} before and {right} after: "
                f"declare {declaration}={{{z:.6g}: {left}}}, or whichever slope counts"
            )
        return ""


def _apart(one: float, other: float) -> tuple[str, str]:
    """Return two numbers in six digits, or in as many as distinguish them."""
    pairs = ((f"{one + 0:.{digits}g}", f"{other + 0:.{digits}g}") for digits in (6, 9, 12, 17))
    return next((pair for pair in pairs if pair[0] != pair[1]), (f"{one!r}", f"{other!r}"))
