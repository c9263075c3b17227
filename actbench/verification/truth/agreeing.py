"""g' of a definition that accepts only numbers of mpmath: by differences, where two precisions agree.

The step is small compared with z and with 1. A difference counts as known when more digits and a smaller step repeat
its first 20 digits. If it is 0, or agrees as closely as only a constant does, both precisions may have lost the part
that matters, as in ``1 + tiny``; such a difference counts only from `WIDE` digits on.
"""

from __future__ import annotations

from typing import Any

import mpmath

from actbench.formula import Activation
from actbench.model.rule import Formula
from actbench.verification.truth.points import GOOD, NOTHING, Point

LEVELS = (60, 120, 420, 1500, 2000)
"""Numbers of decimal digits, in the order in which they are tried."""

WIDE = 1500
"""Decimal digits from which on a difference of 0 counts: they resolve 1 - z^2 at any z of a format."""

STEP = 0.4
"""Size of the step relative to min(|z|, 1), as a part of the digits."""

CONSTANT = 0.55
"""Part of the digits; two results agree in more of them only where nothing changes."""


class Agreeing:
    """Evaluation of an activation's definition over numbers of mpmath."""

    def __init__(self, activation: Activation) -> None:
        """Take the activation whose definition is evaluated."""
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
        """Return g' and g; None where they are not real numbers."""
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
        """Return the definition with constants of this many digits."""
        if digits not in self._built:
            self._built[digits] = self._activation.build(mpmath.mp).definition
        return self._built[digits]


def _agree(later: Any, sooner: Any, fewer: int, digits: int) -> bool:
    """Return whether results in fewer digits and in more digits agree."""
    with mpmath.workdps(digits):
        apart, size = abs(later - sooner), abs(later)
        if max(size, abs(sooner)) < mpmath.ldexp(1, NOTHING):
            return digits >= WIDE
        if apart <= size * mpmath.mpf(10) ** -int(CONSTANT * fewer):
            return digits >= WIDE
        return bool(apart <= mpmath.ldexp(size, -GOOD))
