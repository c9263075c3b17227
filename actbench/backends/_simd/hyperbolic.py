"""sinh, cosh and tanh.

With x = k ln 2 + r, sinh x = sinh(k ln 2) cosh r + cosh(k ln 2) sinh r and cosh x likewise (M. Abramowitz and I. A.
Stegun, "Handbook of Mathematical Functions", 4.5.24 and 4.5.25): no division, and no cancellation near 0, where k is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import muladd, polynomial, select, with_sign
from actbench.backends._simd.dispatch import by_dtype, inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.reduction import power, reciprocal, reduction, rounding_constant


def _parts(
    fmt: Format, odd: tuple[Any, ...], even: tuple[Any, ...], one_sided: float, highest: float
) -> Callable[..., Any]:
    """Return a function of |x| that gives 2^k / 4, 2^-k / 4, r, sinh r - r and cosh r - 1.

    The quarters are there because 2^k overflows before sinh does. From ``one_sided`` on, 2^-k is negligible.
    """
    reduced, power_of_two, reciprocal_power = reduction(fmt), power(fmt), reciprocal(fmt, -2)
    constant = rounding_constant(fmt, -2)
    far, high, zero = fmt.reals(one_sided, highest, 0.0)

    @inlined
    def parts(magnitude):
        magnitude = select(magnitude > high, high, magnitude)
        total, r = reduced(magnitude, constant)
        scale = power_of_two(total)
        inverse = select(magnitude > far, zero, reciprocal_power(scale))
        square = r * r
        return (
            scale,
            inverse,
            r,
            r * square * polynomial(square, odd),
            square * polynomial(square, even),
        )

    return parts


@inlined
def _combined(scale, inverse, r, sinh_r_less_r, cosh_r_less_1):
    """Return (scale + inverse) cosh r + (scale - inverse) sinh r; the largest terms have the fewest roundings."""
    a, b = scale + inverse, scale - inverse
    lost = inverse - (a - scale)  # the exact rounding error of a
    return muladd(b, r, a) + muladd(b, sinh_r_less_r, muladd(a, cosh_r_less_1, lost))


def _sinh(fmt: Format, parts: Callable[..., Any]) -> Callable[..., Any]:
    """Return sinh of a format. Below ``tiny``, sinh x rounds to x, and halving might be inexact."""
    tiny, two = fmt.reals(fmt.eps**0.5 / 2.0, 2.0)

    def sinh(x):
        """Return the hyperbolic sine; at most 1.6 ULP off in float32, 1.85 in float64."""
        magnitude = abs(x)
        scale, inverse, r, sinh_r_less_r, cosh_r_less_1 = parts(magnitude)
        value = two * _combined(scale, -inverse, r, sinh_r_less_r, cosh_r_less_1)
        return with_sign(select(magnitude < tiny, magnitude, value), x)

    return sinh


def _cosh(fmt: Format, parts: Callable[..., Any]) -> Callable[..., Any]:
    (two,) = fmt.reals(2.0)

    def cosh(x):
        """Return the hyperbolic cosine; at most 1.6 ULP off in float32, 1.6 in float64."""
        return two * _combined(*parts(abs(x)))

    return cosh


def _tanh(fmt: Format, tail: tuple[Any, ...], corrected: float, saturated: float) -> Callable[..., Any]:
    """Return tanh of a format: (e^2x - 1) / (e^2x + 1) from expm1; beyond ``saturated`` it rounds to 1.

    Let m and l be the rounding errors of the numerator n and the divisor d. The quotient y is then off by
    (m - y l) / d, where 1 / d is (1 - y) / 2 until 1 - y loses its digits; up to ``corrected`` it has at least half of
    them.
    """
    reduced, power_of_two = reduction(fmt), power(fmt)
    constant = rounding_constant(fmt, 0)
    far, high, zero, half, one, two = fmt.reals(corrected, saturated, 0.0, 0.5, 1.0, 2.0)

    def tanh(x):
        """Return the hyperbolic tangent; at most 1.3 ULP off in float32, 1.85 in float64."""
        magnitude = abs(x)
        magnitude = select(magnitude > high, high, magnitude)
        total, r = reduced(magnitude + magnitude, constant)
        scale = power_of_two(total)
        large, small = muladd(scale, r, scale - one), scale * (r * r) * polynomial(r, tail)
        less_1 = large + small
        divisor = less_1 + two
        quotient = less_1 / divisor
        off_less_1 = small - (less_1 - large)  # the exact rounding error of less_1
        off_divisor = less_1 - (divisor - two) + off_less_1
        off = select(magnitude > far, zero, muladd(-quotient, off_divisor, off_less_1))
        return with_sign(muladd(off, muladd(-half, quotient, half), quotient), x)

    return tanh


_PARTS_32 = _parts(FLOAT32, coefficients.SINH_32, coefficients.COSH_32, 40.0, 89.5)
_PARTS_64 = _parts(FLOAT64, coefficients.SINH_64, coefficients.COSH_64, 80.0, 710.7)
sinh = by_dtype("sinh", _sinh(FLOAT32, _PARTS_32), _sinh(FLOAT64, _PARTS_64))
cosh = by_dtype("cosh", _cosh(FLOAT32, _PARTS_32), _cosh(FLOAT64, _PARTS_64))
tanh = by_dtype(
    "tanh", _tanh(FLOAT32, coefficients.EXPM1_32, 4.0, 10.0), _tanh(FLOAT64, coefficients.EXPM1_64, 9.0, 20.0)
)
