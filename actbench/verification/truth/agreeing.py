"""g' of a definition that takes numbers of mpmath alone: by differences, where two precisions agree.

The step is small beside z, and beside 1. A difference is believed when it has the same 20 digits in more digits and
with a smaller step; one that is 0, or that agrees as far as only a constant does, may have lost what matters,
``1 + tiny``, in both, and is believed from `WIDE` digits on.
"""

from __future__ import annotations

from typing import Any

import mpmath

from actbench.formula import Activation
from actbench.model.rule import Formula
from actbench.verification.truth.points import GOOD, NOTHING, Point

LEVELS = (60, 120, 420, 1500, 2000)
"""Decimal digits that are tried."""

WIDE = 1500
"""Decimal digits from which on 0, and what does not change, is believed: 1 - z^2 shows at any z of a format."""

STEP = 0.4
"""Part of the digits by which a step is smaller than z, and than 1."""

CONSTANT = 0.55
"""Part of the digits of which more agree only where nothing changes."""


class Agreeing:
    """The definition of an activation over numbers of mpmath."""

    def __init__(self, activation: Activation) -> None:
        """Take its definition."""
        self._activation = activation
        self._built: dict[int, Formula] = {}

    def at(self, z: Any) -> Point:
        """Return g' and g at a number of mpmath."""
        slope: Any = None
        output: Any = None
        before: tuple[int, tuple[Any, Any]] | None = None
        for digits in LEVELS:
            now = self._tried(z, digits)
            if now is None:
                return Point(None, None)
            if before is not None:
                fewer, earlier = before
                if slope is None and _agree(now[0], earlier[0], fewer, digits):
                    slope = now[0]
                if output is None and _agree(now[1], earlier[1], fewer, digits):
                    output = now[1]
                if slope is not None and output is not None:
                    break
            before = digits, now
        return Point(slope, output)

    def _tried(self, z: Any, digits: int) -> tuple[Any, Any] | None:
        """Return g' and g, None where they are no real numbers."""
        with mpmath.workdps(digits):
            definition = self._definition(digits)
            step = (min(abs(z), 1) or 1) * mpmath.mpf(10) ** -int(STEP * digits)
            try:
                above, middle, below = (definition(z + side * step) for side in (1, 0, -1))
            except OverflowError:
                return None
            change = above - below
            numbers = (mpmath.mpmathify(change / (2 * step)), mpmath.mpmathify(middle))
        if all(isinstance(number, mpmath.mpf) and mpmath.isfinite(number) for number in numbers):
            return numbers
        return None

    def _definition(self, digits: int) -> Formula:
        """Return the definition, with constants of so many digits."""
        if digits not in self._built:
            self._built[digits] = self._activation.build(mpmath.mp).definition
        return self._built[digits]


def _agree(later: Any, sooner: Any, fewer: int, digits: int) -> bool:
    """Say whether two numbers, in fewer digits and in more, are one."""
    with mpmath.workdps(digits):
        apart, size = abs(later - sooner), abs(later)
        if max(size, abs(sooner)) < mpmath.ldexp(1, NOTHING):
            return digits >= WIDE
        if apart <= size * mpmath.mpf(10) ** -int(CONSTANT * fewer):
            return digits >= WIDE
        return bool(apart <= mpmath.ldexp(size, -GOOD))
