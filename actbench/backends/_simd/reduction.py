"""x = k ln 2 + r with an integer k and |r| <= ln(2)/2, and powers of two.

Adding a constant so large that the sum has no room for a fraction gives k. Subtracting k ln 2 in two parts, the first
of them exact, gives r (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980; J.-M. Muller,
"Elementary Functions", on additive range reduction). The lowest bits of the sum are k plus the lowest bits of the
constant: if these hold an exponent's bias, one shift turns the sum into a power of two.
"""

from __future__ import annotations

from collections.abc import Callable
from math import e, log2
from typing import Any

from actbench.backends._simd.bits import bits, left, minus, muladd, real
from actbench.backends._simd.dispatch import inlined
from actbench.backends._simd.formats import Format


def rounding_constant(fmt: Format, offset: int) -> Any:
    """Return the constant for the reduction, such that `power` of the sum is 2^(k + offset)."""
    return fmt.real(fmt.magic + fmt.bias + offset)


def quotient(fmt: Format, skew: float = 0.0, factor: float = 1.0) -> Callable[..., Any]:
    """Return a function of x and the rounding constant that gives their sum, whose lowest bits hold k, and k.

    A skew moves the middle of r's interval away from 0. With a factor, a power of two, `factor` x is reduced.
    """
    per_ln2, shift = fmt.reals(factor * log2(e), skew)

    @inlined
    def rounded(x, constant):
        total = muladd(x - shift, per_ln2, constant)
        return total, total - constant

    return rounded


def reduction(fmt: Format, skew: float = 0.0, factor: float = 1.0) -> Callable[..., Any]:
    """Return a function of x and the rounding constant that gives their sum, whose lowest bits hold k, and r.

    With a factor, a power of two, `factor` x is reduced, and r is divided by it again.
    """
    rounded = quotient(fmt, skew, factor)
    minus_high, minus_low = fmt.reals(-fmt.ln2_high / factor, -fmt.ln2_low / factor)

    @inlined
    def reduced(x, constant):
        total, k = rounded(x, constant)
        return total, muladd(k, minus_low, muladd(k, minus_high, x))

    return reduced


def power(fmt: Format) -> Callable[..., Any]:
    """Return a function that turns the sum into the power of two."""
    fraction = fmt.integer(fmt.fraction)

    @inlined
    def power_of_two(total):
        return real(left(bits(total), fraction))

    return power_of_two


def reciprocal(fmt: Format, offset: int) -> Callable[..., Any]:
    """Return a function of 2^(k + offset) that gives 2^(-k + offset), where that is a normal number."""
    doubled = fmt.integer((2 * fmt.bias + 2 * offset) << fmt.fraction)

    @inlined
    def reciprocal_power(scale):
        return real(minus(doubled, bits(scale)))

    return reciprocal_power
