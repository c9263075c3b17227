"""x = k ln 2 + r with an integer k and |r| <= ln(2)/2, and powers of two.

k comes of adding a constant so large that the sum has no room for a fraction; r of subtracting k ln 2 in two parts, the
first of which is exact (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980; J.-M. Muller,
"Elementary Functions", on additive range reduction). What stands in the lowest bits of the sum is k plus whatever
the constant holds there: with an exponent's bias it becomes a power of two by one shift.
"""

from __future__ import annotations

from collections.abc import Callable
from math import e, log2
from typing import Any

from actbench.backends._simd.bits import bits, left, minus, muladd, real
from actbench.backends._simd.dispatch import inlined
from actbench.backends._simd.formats import Format


def rounding_constant(fmt: Format, offset: int) -> Any:
    """Return the constant to reduce with, so that `power` of the sum is 2^(k + offset)."""
    return fmt.real(fmt.magic + fmt.bias + offset)


def quotient(fmt: Format, skew: float = 0.0) -> Callable[..., Any]:
    """Return a function of x and the rounding constant: their sum, whose lowest bits hold k, and k.

    A skew moves the middle of r's interval away from 0.
    """
    per_ln2, shift = fmt.reals(log2(e), skew)

    @inlined
    def rounded(x, constant):
        total = muladd(x - shift, per_ln2, constant)
        return total, total - constant

    return rounded


def reduction(fmt: Format, skew: float = 0.0) -> Callable[..., Any]:
    """Return a function of x and the rounding constant: their sum, whose lowest bits hold k, and r."""
    rounded = quotient(fmt, skew)
    minus_high, minus_low = fmt.reals(-fmt.ln2_high, -fmt.ln2_low)

    @inlined
    def reduced(x, constant):
        total, k = rounded(x, constant)
        return total, muladd(k, minus_low, muladd(k, minus_high, x))

    return reduced


def power(fmt: Format) -> Callable[..., Any]:
    """Return a function of the sum: the power of two."""
    fraction = fmt.integer(fmt.fraction)

    @inlined
    def power_of_two(total):
        return real(left(bits(total), fraction))

    return power_of_two


def reciprocal(fmt: Format, offset: int) -> Callable[..., Any]:
    """Return a function of 2^(k + offset): 2^(-k + offset), where that is a normal number."""
    doubled = fmt.integer((2 * fmt.bias + 2 * offset) << fmt.fraction)

    @inlined
    def reciprocal_power(scale):
        return real(minus(doubled, bits(scale)))

    return reciprocal_power
