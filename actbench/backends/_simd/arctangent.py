"""The arctangent.

atan x = pi/2 + atan(-1/x), and pi/4 + atan((x - 1) / (x + 1)) (M. Abramowitz and I. A. Stegun, "Handbook of
Mathematical Functions", 4.4.34). One division serves all cases, because numerator and denominator are selected. float32
needs only the first identity; the second saves ten coefficients in float64.
"""

from __future__ import annotations

from math import pi

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import muladd, polynomial, select, with_sign
from actbench.backends._simd.dispatch import by_dtype
from actbench.backends._simd.formats import FLOAT32, FLOAT64

HALF_PI_LOW_32 = -4.371139000186241e-08
"""pi/2 less its nearest float32."""

HALF_PI_LOW_64 = 6.123233995736766e-17
"""pi/2 less its nearest float64."""

_ZERO_32, _ONE_32, _HIGH_32, _LOW_32 = FLOAT32.reals(0.0, 1.0, pi / 2, HALF_PI_LOW_32)
_ZERO_64, _HALF_64, _ONE_64, _TWO_64 = FLOAT64.reals(0.0, 0.5, 1.0, 2.0)
_HALF_HIGH_64, _HALF_LOW_64 = FLOAT64.reals(pi / 2, HALF_PI_LOW_64)
_QUARTER_HIGH_64, _QUARTER_LOW_64 = FLOAT64.reals(pi / 4, HALF_PI_LOW_64 / 2)


def _atan_32(x):
    """Return the arctangent; at most 1.35 ULP off in float32, 1.45 in float64."""
    magnitude = abs(x)
    is_far = magnitude > _ONE_32
    t = select(is_far, -_ONE_32, magnitude) / select(is_far, magnitude, _ONE_32)
    square = t * t
    rest = muladd(t * square, polynomial(square, coefficients.ATAN_32), select(is_far, _LOW_32, _ZERO_32))
    return with_sign(select(is_far, _HIGH_32, _ZERO_32) + (t + rest), x)


def _atan_64(x):
    """Return the arctangent; at most 1.35 ULP off in float32, 1.45 in float64."""
    magnitude = abs(x)
    is_near, is_far = magnitude < _HALF_64, magnitude > _TWO_64  # between them, x - 1 is exact
    numerator = select(is_near, magnitude, select(is_far, -_ONE_64, magnitude - _ONE_64))
    denominator = select(is_near, _ONE_64, select(is_far, magnitude, magnitude + _ONE_64))
    high = select(is_near, _ZERO_64, select(is_far, _HALF_HIGH_64, _QUARTER_HIGH_64))
    low = select(is_near, _ZERO_64, select(is_far, _HALF_LOW_64, _QUARTER_LOW_64))
    t = numerator / denominator
    square = t * t
    rest = muladd(t * square, polynomial(square, coefficients.ATAN_64), low)
    return with_sign(high + (t + rest), x)


atan = by_dtype("atan", _atan_32, _atan_64)
