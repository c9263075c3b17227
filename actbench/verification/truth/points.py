"""The knowledge of g at one z (`Point`), and the behaviour of g on either side of it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import mpmath

from actbench.verification.truth.sides import Sides

GOOD = 68
"""Number of bits, relative to its size, to which a number must be known: 20 digits."""

NOTHING = -1080
"""Exponent of 2 of the largest number that rounds to 0 in every format."""

NEAR = 200
"""Bits that z and the first point beside it have in common."""

NEARER = 40
"""Bits by which the second point beside z is nearer to z than the first."""

NEAR_0 = 900
"""The first points beside 0 are ±2^-NEAR_0."""

SAME = 60
"""Number of leading bits in which neighbouring numbers must agree to count as equal."""


class Point(NamedTuple):
    """g' and g at a z, as numbers of mpmath; None where they are unknown."""

    slope: Any | None
    output: Any | None
    met: bool = False
    """Whether two branches of g meet at this z; then g' on either side may differ from `slope`."""


class Method(Protocol):
    """A way to evaluate a definition."""

    def at(self, z: Any) -> Point:
        """Return g' and g at a number of mpmath."""


def resolved(method: Method, z: Any) -> Point:
    """Return g' and g at z; where two branches meet, g' is the slope on both sides, if it is the same.

    At an undeclared kink, g' is the mean of both sides, which no derivative returns; at a jump of g, it is infinite.
    """
    point = method.at(z)
    if not point.met:
        return point
    beside = _Beside(method, z, point)
    return Point(beside.slope(point.slope) if beside.known else None, point.output)


def sides(method: Method, z: float) -> Sides | None:
    """Return the behaviour of g on either side of z; None where it is unknown."""
    at = mpmath.mpf(z)
    beside = _Beside(method, at, method.at(at))
    return beside.sides() if beside.known else None


class _Beside:
    """g' and g at two distances on either side of a z.

    The difference of the two sides distinguishes a kink from a root of g' without any scale: it stays the same nearer
    to z at a kink, and shrinks at a root.
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
        """Return g' at z: that of its own branch, if the neighbours confirm it, otherwise the mean of both sides."""
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
    """Return whether the difference of two sides persists at the smaller distance."""
    with mpmath.workprec(2 * NEAR):
        apart, before = abs(near[1] - near[0]), abs(far[1] - far[0])
        least = max(mpmath.ldexp(max(map(abs, near)), -SAME), mpmath.ldexp(1, NOTHING))
        return bool(apart > least and apart > before / 2)
