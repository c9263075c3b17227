"""g' by automatic differentiation of the definition, over jets, in as many bits as are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath

from actbench.model.rule import Formula
from actbench.verification.truth import balls
from actbench.verification.truth.balls import EXACT, INEXACT, Ball, UnknownError, UnsureError
from actbench.verification.truth.functions import Functions
from actbench.verification.truth.jets import Arithmetic, Jet
from actbench.verification.truth.points import GOOD, NOTHING, Point

FIRST = 128
"""Number of bits that are tried first."""

LAST = 4864
"""Number of bits that are tried last, 1 464 digits; a number that is still unknown then counts as unknown."""

GRAIN = 128
"""The number of bits is a multiple of this, so that definitions are rarely rebuilt."""

SPARE = 8
"""Bits in excess of the estimated need."""


class Differentiated:
    """Evaluation of an activation's definition over jets."""

    def __init__(self, build: Callable[[Any], Formula], slope: Ball = balls.ONE) -> None:
        """Take a function that builds the definition for a namespace, and the slope of z, which is 0 for g alone."""
        self._build = build
        self._slope = slope
        self._built: dict[int, tuple[Arithmetic, Formula]] = {}

    def at(self, z: Any) -> Point:
        """Return g' and g at a number of mpmath."""
        slope = output = None
        met, bits = False, FIRST
        while True:
            try:
                jet = self.evaluated(z, bits)
            except (UnknownError, OverflowError):
                return Point(None, None)
            except UnsureError:
                needed = 3 * bits
            else:
                met = jet.arithmetic.met
                lack = [_lack(ball) for ball in (jet.slope, jet.value)]
                slope, output = (
                    mpmath.mp.make_mpf(ball[0]) if missing <= 0 else None
                    for ball, missing in zip((jet.slope, jet.value), lack, strict=True)
                )
                needed = bits + max(lack) + SPARE
                if max(lack) <= 0 or (met and output is not None):
                    return Point(slope, output, met)
            if bits == LAST:
                return Point(slope, output, met)
            bits = min(-(-needed // GRAIN) * GRAIN, LAST)

    def evaluated(self, z: Any, bits: int) -> Jet:
        """Return the definition at z in this many bits; `UnknownError` where the result is no finite number."""
        if bits not in self._built:
            arithmetic = Arithmetic(bits, last=bits == LAST)
            self._built[bits] = arithmetic, self._build(Functions(arithmetic))
        arithmetic, definition = self._built[bits]
        arithmetic.met = False
        jet = Jet(arithmetic, (z._mpf_, EXACT), self._slope)
        result = jet.constant(definition(jet))
        for number, _ in (result.value, result.slope):
            balls.magnitude(number)
        return result


def unsupported(build: Callable[[Any], Formula], probes: tuple[float, ...]) -> str | None:
    """Return why a definition cannot be evaluated over jets, or None where it can."""
    known = 0
    try:
        definition = Differentiated(build)
        for z in probes:
            try:
                definition.evaluated(mpmath.mpf(z), FIRST)
                known += 1
            except (ArithmeticError, UnsureError):
                known += 1  # reported with its z when the truth is computed
            except UnknownError:
                continue
    except Exception as error:  # noqa: BLE001  # numpy and scipy may raise anything
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None if known else "it gives no real number"


def _lack(ball: Ball) -> int:
    """Return how many bits of a number are missing; 0 or less where enough are known."""
    value, off = ball
    if off <= INEXACT:
        return 0
    size = balls.magnitude(value)
    return off - (size - GOOD if NOTHING < size > off else NOTHING)
