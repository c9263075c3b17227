"""log and log1p.

x = 2^k m with m in [sqrt(1/2), sqrt(2)), and log x = k ln 2 + log(1 + f) with f = m - 1, which is exact (W. J. Cody and
W. Waite, "Software Manual for the Elementary Functions", 1980). In float32, log(1 + f) is a polynomial in f. In
float64, it is 2 atanh s with s = f / (2 + f) (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions",
4.1.27; P. T. P. Tang, "Table-driven implementation of the logarithm function in IEEE floating-point arithmetic", 1990),
which needs half as many coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import (
    bits,
    both,
    either,
    minus,
    muladd,
    plus,
    polynomial,
    real,
    right,
    select,
    with_sign,
)
from actbench.backends._simd.dispatch import by_dtype, inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format

SQRT_HALF = 0.5**0.5
LIFT = 64


def _joined(fmt: Format) -> Callable[..., Any]:
    """Return a function of -k, f and y that computes k ln 2 + (f + y).

    k is negated so that k = 0 adds -0, which keeps the sign of a zero.
    """
    (minus_high,) = fmt.reals(-fmt.ln2_high)

    @inlined
    def joined(minus_k, f, y):
        return muladd(minus_k, minus_high, f + y)

    return joined


def _by_polynomial(fmt: Format, tail: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function of -k and f that computes k ln 2 + (f - f^2/2 + f^3 P(f))."""
    joined = _joined(fmt)
    minus_low, minus_half = fmt.reals(-fmt.ln2_low, -0.5)

    @inlined
    def combined(minus_k, f):
        square = f * f
        y = muladd(f * square, polynomial(f, tail), minus_k * minus_low)
        return joined(minus_k, f, muladd(minus_half, square, y))

    return combined


def _by_quotient(fmt: Format, tail: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function of -k and f: k ln 2 + 2 atanh s, with 2 s as f - s f, whose first part is exact."""
    joined = _joined(fmt)
    minus_low, two = fmt.reals(-fmt.ln2_low, 2.0)

    @inlined
    def combined(minus_k, f):
        s = f / (f + two)
        square = s * s
        rest = muladd(-square, polynomial(square, tail), f)
        return joined(minus_k, f, muladd(-s, rest, minus_k * minus_low))

    return combined


def _split(fmt: Format) -> Callable[..., Any]:
    """Return a function of x > 0 and a constant c that gives c - (k + bias), m, and the bits of 2^k.

    The bits are shifted so that sqrt(1/2) has the fraction of 1; then the exponent field counts from sqrt(1/2). The
    field becomes a number as the lowest bits of 2^23 or 2^52.
    """
    to_one = fmt.integer(fmt.bits(1.0) - fmt.bits(SQRT_HALF))
    root = fmt.integer(fmt.bits(SQRT_HALF))
    fraction = fmt.integer(fmt.fraction)
    fraction_mask = fmt.integer((1 << fmt.fraction) - 1)
    whole = fmt.integer(fmt.bits(2.0**fmt.fraction))

    @inlined
    def split(x, constant):
        shifted = plus(bits(x), to_one)
        field = real(either(right(shifted, fraction), whole))
        m = real(plus(both(shifted, fraction_mask), root))
        return constant - field, m, shifted

    return split


def _log(fmt: Format, combined: Callable[..., Any]) -> Callable[..., Any]:
    split = _split(fmt)
    normal, lifting, zero, one = fmt.reals(fmt.smallest_normal, 2.0**LIFT, 0.0, 1.0)
    offset, lifted_offset = fmt.reals(2.0**fmt.fraction + fmt.bias, 2.0**fmt.fraction + fmt.bias + LIFT)
    infinite, undefined = fmt.reals(inf, nan)

    def log(x):
        """Return the natural logarithm; at most 0.9 ULP off in float32, 0.95 in float64."""
        is_small = x < normal
        minus_k, m, _ = split(select(is_small, x * lifting, x), select(is_small, lifted_offset, offset))
        value = select(x < infinite, combined(minus_k, m - one), x)
        return select(x > zero, value, select(x == zero, -infinite, select(x < zero, undefined, x)))

    return log


def _log1p(fmt: Format, combined: Callable[..., Any]) -> Callable[..., Any]:
    """Return log1p of a format: the log of the rounded sum, with its rounding error (D. E. Knuth's exact sum) in f.

    The error is scaled by 2^-k. Where k = 0, that gives f = x exactly.
    """
    split = _split(fmt)
    minus_one, zero, half, one = fmt.reals(-1.0, 0.0, 0.5, 1.0)
    (offset,) = fmt.reals(2.0**fmt.fraction + fmt.bias)
    infinite, undefined = fmt.reals(inf, nan)
    exponent_mask = fmt.integer(fmt.bits(inf))
    twice = fmt.integer(fmt.bits(inf))  # the field of 2^(1 - k) and that of 2^k add up to that of infinity

    def log1p(x):
        """Return log(1 + x); at most 1.5 ULP off in float32, 1.55 in float64."""
        total = one + x
        x_rounded = total - one
        lost = (one - (total - x_rounded)) + (x - x_rounded)
        minus_k, m, shifted = split(total, offset)
        per_power = real(minus(twice, both(shifted, exponent_mask)))
        value = with_sign(combined(minus_k, (m - one) + lost * (half * per_power)), x)
        value = select(x < infinite, value, x)
        return select(x > minus_one, value, select(x == minus_one, -infinite, select(x < zero, undefined, x)))

    return log1p


_COMBINED_32 = _by_polynomial(FLOAT32, coefficients.LOG_32)
_COMBINED_64 = _by_quotient(FLOAT64, coefficients.LOG_64)
log = by_dtype("log", _log(FLOAT32, _COMBINED_32), _log(FLOAT64, _COMBINED_64))
log1p = by_dtype("log1p", _log1p(FLOAT32, _COMBINED_32), _log1p(FLOAT64, _COMBINED_64))
