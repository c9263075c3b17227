"""What is known of g at one z, and how g looks on either side of it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import mpmath

from actbench.verification.truth.sides import Sides

GOOD = 68
"""Bits to which a number must be known, relative to its size: 20 digits."""

NOTHING = -1080
"""Exponent of 2 of what is as good as 0: it rounds to 0 in every format."""

NEAR = 200
"""Bits of z that a point beside it has at least in common with it."""

NEARER = 40
"""By how many bits more the second point beside z is nearer to it."""

NEAR_0 = 900
"""Where the first point beside 0 is, as an exponent of 1/2."""

SAME = 60
"""Bits in which numbers beside each other agree that count as equal."""


class Point(NamedTuple):
    """g' and g at a z, as numbers of mpmath; None where they are not known."""

    slope: Any | None
    output: Any | None
    met: bool = False
    """Whether two branches of g meet at this z, so that g' may be on neither side what it is here."""


class Method(Protocol):
    """A way to know what a definition says at a z."""

    def at(self, z: Any) -> Point:
        """Return what is known at a number of mpmath."""


def resolved(method: Method, z: Any) -> Point:
    """Return what is known at z; where two branches meet, what g' is on both sides, if it is the same.

    At a kink that is not declared it is the mean of both, which no derivative gives, and infinite where g jumps.
    """
    point = method.at(z)
    if not point.met:
        return point
    beside = _Beside(method, z, point)
    return Point(beside.slope(point.slope) if beside.known else None, point.output)


def sides(method: Method, z: float) -> Sides | None:
    """Return what g does on either side of z; None where that is not known."""
    at = mpmath.mpf(z)
    beside = _Beside(method, at, method.at(at))
    return beside.sides() if beside.known else None


class _Beside:
    """What is known at two distances on either side of a z.

    What two sides differ by tells a kink from a root of g' without a scale: nearer to z it stays, or shrinks.
    """

    def __init__(self, method: Method, z: Any, here: Point) -> None:
        first = -NEAR_0 if z == 0 else int(mpmath.mag(z)) - NEAR
        with mpmath.workprec(4 * NEAR + 2 * NEARER):
            steps = [mpmath.ldexp(1, first - number * NEARER) for number in (0, 1)]
            pairs = [(method.at(z - step), method.at(z + step)) for step in steps]
        around = [point for pair in pairs for point in pair]
        self.known = here.output is not None and all(None not in {point.slope, point.output} for point in around)
        if self.known:
            slopes: list[list[Any]] = [[point.slope for point in pair] for pair in pairs]
            outputs: list[list[Any]] = [[point.output for point in pair] for pair in pairs]
            self._far, self._near = slopes
            self._bends = _differ(*slopes)
            far, self._outputs = outputs
            self._jumps = _differ(*outputs)
            if not self._jumps and _differ([far[0], here.output], [self._outputs[0], here.output]):
                self._jumps, self._outputs = True, [self._outputs[0], here.output]

    def sides(self) -> Sides:
        left, right = map(float, self._near)
        before, after = map(float, self._outputs)
        return Sides(left, right, before, after, jumps=self._jumps, bends=self._bends)

    def slope(self, here: Any | None) -> Any:
        """Return g' at z, where its branch says that it is so much."""
        if self._jumps:
            return mpmath.sign(self._outputs[1] - self._outputs[0]) * mpmath.inf
        left, right = self._far
        if here is not None and not self._bends and min(left, right) <= here <= max(left, right):
            return here
        with mpmath.workprec(2 * NEAR):
            mean = sum(self._near) / 2
            if here is not None and abs(here - mean) <= mpmath.ldexp(abs(mean), -SAME):
                return here
            return mean


def _differ(far: list[Any], near: list[Any]) -> bool:
    """Say whether two sides still differ nearby."""
    with mpmath.workprec(2 * NEAR):
        apart, before = abs(near[1] - near[0]), abs(far[1] - far[0])
        least = max(mpmath.ldexp(max(map(abs, near)), -SAME), mpmath.ldexp(1, NOTHING))
        return bool(apart > least and apart > before / 2)
