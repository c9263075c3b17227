"""The complementary error function.

Near 0, erfc x = (1 - x) - x P(x^2). From 3/4 on, erfc x = e^(-x^2) E(q) / (x + 1/2) with q = (x - b) / (x + b), where
E is nearly a constant (M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in
0 <= x < oo", 1981): one polynomial serves down to the smallest subnormal number, and one division both quotients. Below
-3/4, erfc x = 2 - erfc(-x).

Rounding errors in the exponent would be amplified, so the exponent is exact. x is the sum of a head of half the digits,
whose square is exact, and a rest (W. J. Cody, "Rational Chebyshev approximations for the error function", 1969).
1 / (x + 1/2) is truncated to half its digits, so that its residual is exact, too; the logarithm of the truncated factor
is added to the exponent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import bits, both, muladd, polynomial, real, select
from actbench.backends._simd.dispatch import by_dtype, inlined
from actbench.backends._simd.exponential import SKEW
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.reduction import power, quotient, rounding_constant

LIFT = 100
"""Powers of two are computed 2^100 too large, which makes them normal numbers, so that only the last product rounds."""

NEAR = 0.75
"""Below this |x|, the polynomial near 0 is used."""

SCALE = 21 / 64
"""Factor that makes E nearly 2, where the relative rounding error of a number is smallest."""


def _head(fmt: Format, dropped: int) -> Callable[..., Any]:
    """Return a function that truncates x to its leading digits."""
    kept = fmt.integer(-1 << dropped)

    @inlined
    def head(x):
        return real(both(bits(x), kept))

    return head


def _decaying(
    fmt: Format, left_over: tuple[Any, ...], tail: tuple[Any, ...], halfway: float, vanished: float
) -> Callable[..., Any]:
    """Return a function of |x| >= `NEAR` that computes erfc |x|. From ``vanished`` on, erfc rounds to 0.

    The constant of E is added last: it is so much larger than the rest that the rounding of the rest does not matter.
    """
    rounded, power_of_two = quotient(fmt, SKEW), power(fmt)
    constant = rounding_constant(fmt, LIFT)
    half_of, a_bit_less_than_half_of = _head(fmt, fmt.fraction // 2 + 1), _head(fmt, (fmt.fraction + 3) // 2)
    high, b, half, one, scale, per_scale = fmt.reals(vanished, halfway, 0.5, 1.0, SCALE, 1 / SCALE)
    minus_high, minus_low, lowering = fmt.reals(-fmt.ln2_high, -fmt.ln2_low, 2.0**-LIFT)
    first, *rest = left_over
    others = tuple(rest)

    @inlined
    def decaying(magnitude):
        x = select(magnitude > high, high, magnitude)
        x_head = half_of(x)
        x_rest = x - x_head
        divisor, other_divisor = x + half, x + b
        inverse = one / (divisor * other_divisor)
        q = (x - b) * (inverse * divisor)
        t = a_bit_less_than_half_of(scale * inverse * other_divisor)
        cut = ((scale - t * (x_head + half)) - t * x_rest) * per_scale
        log_cut = muladd(half * cut, cut, cut)
        total, k = rounded(-(x * x), constant)
        r_head = muladd(k, minus_high, -(x_head * x_head))
        r_rest = muladd(k, minus_low, muladd(-x_rest, x + x_head, log_cut))
        r = r_head + r_rest
        value = t * muladd(q, polynomial(q, others), first)
        e_r_less_1 = r_head + muladd(r * r, polynomial(r, tail), r_rest)
        return muladd(value, e_r_less_1, value) * power_of_two(total) * lowering

    return decaying


def _erfc(fmt: Format, near: tuple[Any, ...], decaying: Callable[..., Any]) -> Callable[..., Any]:
    border, zero, one, two = fmt.reals(NEAR, 0.0, 1.0, 2.0)

    def erfc(x):
        """Return 1 - erf x; at most 2.3 ULP off in float32, 2.3 in float64."""
        magnitude = abs(x)
        far = decaying(magnitude)
        far = select(x < zero, two - far, far)
        return select(magnitude < border, muladd(-x, polynomial(x * x, near), one - x), far)

    return erfc


erfc = by_dtype(
    "erfc",
    _erfc(
        FLOAT32,
        coefficients.ERFC_NEAR_0_32,
        _decaying(FLOAT32, coefficients.ERFCX_32, coefficients.EXP_32, 2.375, 10.25),
    ),
    _erfc(
        FLOAT64,
        coefficients.ERFC_NEAR_0_64,
        _decaying(FLOAT64, coefficients.ERFCX_64, coefficients.EXP_64, 3.5, 27.5),
    ),
)
