"""e^(c x) <= 1, too large by 2^LIFT, with which derivatives at once begin.

Nothing that is computed with it is subnormal before the last rounding: the power of two goes into the coefficients of
what comes next, and c into those of the polynomial. (To add k to the exponent of e^r, as integers, saves a product, but
on Zen 3 it took 1.15 times as long in float32.) Of registers of AVX-512, `actbench.backends._simd.table` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import bits, both, fused_or, muladd, polynomial, real, select
from actbench.backends._simd.dispatch import by_dtype, by_form, inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.reduction import power, reduction, rounding_constant
from actbench.backends._simd.table import exponential, tabulated

LIFT = 100

TAILS: dict[Format, tuple[Any, ...]] = {FLOAT32: coefficients.EXP_CENTRED_32, FLOAT64: coefficients.EXP_CENTRED_64}

VANISHES = {FLOAT32: -104.0, FLOAT64: -746.0}
"""Exponents from which on an exponential rounds to 0."""


def decay(fmt: Format, steepness: float = 1.0) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the two functions of a raised e^(`steepness` x): of x and a constant, and of what the first returns.

    The first returns a number that holds the power of two, and r, to which a rounding error of x can be added.
    """
    reduced, power_of_two = reduction(fmt, factor=steepness), power(fmt)
    series = tuple(fmt.real(float(c) * steepness**power) for power, c in enumerate((1.0, *TAILS[fmt]), 1))

    @inlined
    def raised(total, r):
        scale = power_of_two(total)
        return muladd(polynomial(r, series), r * scale, scale)

    by_table = tabulated(fmt, steepness)
    return by_form(reduced, by_table[0]), by_form(raised, by_table[1])


def raising(fmt: Format, factor: float = 1.0) -> Any:
    """Return the constant with which the exponential is 2^LIFT `factor` times too large, a power of two."""
    return rounding_constant(fmt, LIFT + int(log2(factor)))


def rounding_error_of_square(fmt: Format) -> Callable[..., Any]:
    """Return a function of x and its rounded square: the true square minus the rounded one.

    Without fused multiply-adds x is split in two halves (T. J. Dekker, "A floating-point technique for extending the
    available precision", Numerische Mathematik 18, 1971).
    """
    kept, two = fmt.integer(-1 << (fmt.fraction // 2 + 1)), fmt.real(2.0)

    @inlined
    def error(x, square):
        head = real(both(bits(x), kept))
        rest = x - head
        return fused_or(x, x, -square, ((head * head - square) + two * head * rest) + rest * rest)

    return error


def is_negative(fmt: Format) -> Callable[..., Any]:
    """Return a function that tells whether the sign of x is set, which selects without a comparison before AVX-512."""
    zero = fmt.integer(0)

    @inlined
    def negative(x):
        return bits(x) < zero

    return negative


def _capped_exp(fmt: Format) -> Callable[..., Any]:
    reduced, raised = decay(fmt)
    constant = raising(fmt)
    low, zero, lowering = fmt.reals(VANISHES[fmt], 0.0, 2.0**-LIFT)

    def capped_exp(x):
        """Return e^x, and 1 for positive x; at most 1.2 ULP off in float32, 1.2 in float64."""
        x = select(x > zero, zero, x)
        return raised(*reduced(select(x < low, low, x), constant)) * lowering

    return capped_exp


capped_exp = by_dtype(
    "capped_exp",
    _capped_exp(FLOAT32),
    _capped_exp(FLOAT64),
    in_registers=(exponential(FLOAT32, VANISHES[FLOAT32], 0.0), exponential(FLOAT64, VANISHES[FLOAT64], 0.0)),
)
