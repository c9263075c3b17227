"""sin and cos.

|x| = k pi/2 + r with an integer k and |r| <= pi/4. k pi/2 is subtracted in five parts, all but the last so short that
their product with any k is exact (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980). Two
differences are exact, and the rounding errors of the next two are kept (T. J. Dekker, "A floating-point technique for
extending the available precision", 1971): r has all its digits even for the x nearest to a multiple of pi/2. A larger k
would make the products inexact, so the functions return NaN there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import nan, pi
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import bits, both, left, muladd, polynomial, real, select, unlike
from actbench.backends._simd.dispatch import by_dtype, inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format

HALF_PI_BITS = 0x3243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98
HALF_PI_FRACTION = 225
"""pi/2 is HALF_PI_BITS times 2^-HALF_PI_FRACTION."""


def _half_pi(fmt: Format, digits: int) -> tuple[Any, ...]:
    """Return pi/2 as four parts of this many binary digits each, and the rest."""
    parts, remaining, place = [], HALF_PI_BITS, HALF_PI_FRACTION + 1
    for _ in range(4):
        place -= digits
        parts.append((remaining >> place) << place)
        remaining -= parts[-1]
    return fmt.reals(*(part / 2**HALF_PI_FRACTION for part in (*parts, remaining)))


@inlined
def _exact_sum(large, small):
    """Return the rounded sum, and its rounding error."""
    total = large + small
    return total, small - (total - large)


def _reduction(fmt: Format, digits: int, farthest: float) -> Callable[..., Any]:
    """Return a function of |x| and a constant, the format's magic plus n.

    It gives bits whose last two are those of k + n, and r with its rounding error. Beyond ``farthest``, r is NaN.
    """
    first, second, third, fourth, last = _half_pi(fmt, digits)
    per_half_pi, limit, undefined = fmt.reals(2.0 / pi, farthest, nan)

    @inlined
    def reduced(x, constant):
        x = select(x > limit, undefined, x)
        total = muladd(x, per_half_pi, constant)
        minus_k = constant - total
        r = muladd(minus_k, second, muladd(minus_k, first, x))
        r, lost = _exact_sum(r, minus_k * third)
        r, lost = _exact_sum(r, muladd(minus_k, fourth, lost))
        return bits(total), r, muladd(minus_k, last, lost)

    return reduced


def _wave(fmt: Format, sine: tuple[Any, ...], cosine: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function of bits, r and its error that gives sin(r + error + n pi/2), with n in the last two bits."""
    none, lowest, second_lowest = fmt.integer(0), fmt.integer(1), fmt.integer(2)
    to_sign = fmt.integer(8 * fmt.integer(0).itemsize - 2)
    (one,) = fmt.reals(1.0)

    @inlined
    def wave(n, r, rest):
        square = r * r
        odd = r + muladd(r * square, polynomial(square, sine), rest)
        even = one + muladd(square, polynomial(square, cosine), -(r * rest))
        value = select(both(n, lowest) == none, odd, even)
        return real(unlike(bits(value), left(both(n, second_lowest), to_sign)))

    return wave


def _sin(fmt: Format, reduced: Callable[..., Any], wave: Callable[..., Any]) -> Callable[..., Any]:
    constant = fmt.real(fmt.magic)
    sign = fmt.integer(fmt.bits(-0.0))

    def sin(x):
        """Return the sine; at most 1.4 ULP off in float32, 1.4 in float64; NaN beyond 1e4 and 1e8, respectively."""
        n, r, rest = reduced(abs(x), constant)
        return real(unlike(bits(wave(n, r, rest)), both(bits(x), sign)))

    return sin


def _cos(fmt: Format, reduced: Callable[..., Any], wave: Callable[..., Any]) -> Callable[..., Any]:
    constant = fmt.real(fmt.magic + 1.0)

    def cos(x):
        """Return the cosine; at most 1.4 ULP off in float32, 1.4 in float64; NaN beyond 1e4 and 1e8, respectively."""
        n, r, rest = reduced(abs(x), constant)
        return wave(n, r, rest)

    return cos


_REDUCED_32, _WAVE_32 = _reduction(FLOAT32, 11, 1e4), _wave(FLOAT32, coefficients.SIN_32, coefficients.COS_32)
_REDUCED_64, _WAVE_64 = _reduction(FLOAT64, 27, 1e8), _wave(FLOAT64, coefficients.SIN_64, coefficients.COS_64)
sin = by_dtype("sin", _sin(FLOAT32, _REDUCED_32, _WAVE_32), _sin(FLOAT64, _REDUCED_64, _WAVE_64))
cos = by_dtype("cos", _cos(FLOAT32, _REDUCED_32, _WAVE_32), _cos(FLOAT64, _REDUCED_64, _WAVE_64))
