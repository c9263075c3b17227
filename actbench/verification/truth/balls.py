"""Ball arithmetic: a real number as a midpoint of some hundred bits and a bound of its error.

The bound includes everything that a computation loses by rounding or by cancellation. So each result states how many of
its digits are known, and the 0 of ``log(1 + tiny)`` differs from an exact 0.

A midpoint is a raw number of mpmath, (sign, mantissa, exponent, bits); a bound is the exponent of a power of 2. Bounds
of elementary functions are of first order with two bits to spare. They hold while a ball is small compared with the
distance over which the function changes; otherwise `UnsureError` asks for more bits.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from mpmath import libmp

Raw = Any
"""A number in the form that mpmath's low-level functions take: (sign, mantissa, exponent, bits)."""

Ball = tuple[Raw, int]
"""Midpoint, and the exponent of 2 of its largest error."""

EXACT = -(1 << 5000)
"""Bound of an exact number: below the exponent of any number that occurs."""

INEXACT = EXACT // 2
"""Numbers with bounds above this are inexact."""

LARGEST = 4000
"""Bits of the exponent of an argument up to which an exponential is evaluated; beyond, e^-z is 0."""

MODERATE = 4
"""Bits before the point of an argument up to which mpmath's exponential is called directly."""

ZERO: Ball = (libmp.fzero, EXACT)
ONE: Ball = (libmp.fone, EXACT)
TWO: Ball = (libmp.ftwo, EXACT)
HALF: Ball = (libmp.fhalf, EXACT)


class UnsureError(Exception):
    """More bits are needed to determine a sign, or to divide."""


class UnknownError(Exception):
    """There is no real number here, with any number of bits."""


def magnitude(x: Raw) -> int:
    """Return the exponent of the smallest power of 2 above |x|; `EXACT` for 0."""
    if x[1]:
        return int(x[2] + x[3])
    if x[2]:
        raise UnknownError("infinity, or no number")
    return EXACT


@lru_cache
def exactly(value: float) -> Ball:
    """Return a number of Python as a ball, from a cache: a definition has the same constants at every z."""
    return libmp.from_int(value) if isinstance(value, int) else libmp.from_float(value), EXACT


def number(value: Any, bits: int) -> Ball:
    """Return a number of Python or numpy as a ball; `TypeError` for anything else."""
    if isinstance(value, int | float):
        return exactly(value)
    if isinstance(value, Fraction):
        return divide((libmp.from_int(value.numerator), EXACT), (libmp.from_int(value.denominator), EXACT), bits)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return number(value.item(), bits)
    raise TypeError(f"{type(value).__name__} beside z")


def rounded(value: Raw, bits: int) -> Ball:
    """Return the result of an elementary function, which is right to a unit or two in the last place, as a ball."""
    return value, magnitude(value) - bits + 2


def add(a: Ball, b: Ball, bits: int) -> Ball:
    """Return a + b."""
    (x, off_x), (y, off_y) = a, b
    total = libmp.mpf_add(x, y, bits, "n")
    off = max(off_x, off_y)
    if min(off_x, off_y) > INEXACT:
        off += 1
    if x[1] and y[1]:
        if max(x[2] + x[3], y[2] + y[3]) + 1 - min(x[2], y[2]) > bits:
            off = max(off, magnitude(total) - bits) + 1
    else:
        magnitude(total)
    return total, off


def negative(a: Ball) -> Ball:
    """Return -a."""
    return libmp.mpf_neg(a[0]), a[1]


def subtract(a: Ball, b: Ball, bits: int) -> Ball:
    """Return a - b."""
    return add(a, negative(b), bits)


def multiply(a: Ball, b: Ball, bits: int) -> Ball:
    """Return a b."""
    (x, off_x), (y, off_y) = a, b
    if is_zero(a) or is_zero(b):
        return ZERO
    product = libmp.mpf_mul(x, y, bits, "n")
    off = EXACT
    if off_x > INEXACT:
        off = magnitude(y) + off_x
    if off_y > INEXACT:
        off = max(off, magnitude(x) + off_y, off_x + off_y) + 2
    if x[3] + y[3] > bits:
        off = max(off, magnitude(product) - bits) + 1
    return product, off


def divide(a: Ball, b: Ball, bits: int) -> Ball:
    """Return a / b; `ZeroDivisionError` where b is 0."""
    (x, off_x), (y, off_y) = a, b
    if is_zero(b):
        raise ZeroDivisionError
    size = magnitude(y)
    if off_y > size - 3:
        raise UnsureError
    if is_zero(a):
        return ZERO
    quotient = libmp.mpf_div(x, y, bits, "n")
    off = EXACT
    if off_x > INEXACT:
        off = off_x - size + 2
    if off_y > INEXACT:
        off = max(off, magnitude(quotient) + off_y - size + 2) + 1
    if y[1] != 1 or x[3] > bits:
        off = max(off, magnitude(quotient) - bits) + 1
    return quotient, off


def is_zero(a: Ball) -> bool:
    """Return whether a is certainly 0."""
    return not a[0][1] and not a[0][2] and a[1] <= INEXACT


def sign(a: Ball) -> int | None:
    """Return the sign of a; None where it is unknown."""
    value, off = a
    if not value[1]:
        return 0 if off <= INEXACT and not value[2] else None
    if off > value[2] + value[3] - 2:
        return None
    return -1 if value[0] else 1


def at_least(a: Ball) -> int:
    """Return the exponent of a power of 2 that |a| reaches or exceeds; `UnsureError` where a may be 0."""
    size = magnitude(a[0])
    if a[1] > size - 3:
        raise UnsureError
    return size - 2


def propagated(value: Raw, slope: Ball, x: Ball, bits: int) -> Ball:
    """Return a function's value as a ball, from its slope at the midpoint of a narrow ball x."""
    narrow(x)
    off = magnitude(value) - bits + 2 if value[1] else EXACT
    if x[1] > INEXACT:
        off = max(off, max(magnitude(slope[0]), slope[1]) + x[1] + 2) + 1
    return value, off


def narrow(x: Ball, *, near_zero: bool = False) -> None:
    """Raise `UnsureError` where a ball is so wide that the slope at its midpoint does not hold at its ends."""
    if x[1] > INEXACT:
        size = magnitude(x[0])
        if x[1] > -3 - max(0, size) or (near_zero and x[1] > size - 3):
            raise UnsureError


def exponential(x: Ball, bits: int) -> Ball:
    """Return e^x."""
    value, off = x
    if not value[1]:
        magnitude(value)
        if off > -1:
            raise UnsureError
        return (libmp.fone, off + 1) if off > INEXACT else ONE
    size = magnitude(value)
    if value[0] and (size > LARGEST or (off > -1 and size - 3 > max(off, 3))):
        return libmp.fzero, -(1 << (min(size, LARGEST) - 2))  # |x| is at least 2^(size - 2)
    if size > LARGEST:
        raise UnknownError("an exponential beyond all numbers")
    if off > -1:
        raise UnsureError
    power = _power(value, size, bits)
    height = magnitude(power)
    return power, max(height - bits + 2, height + off + 1) + 1


def _power(x: Raw, size: int, bits: int) -> Raw:
    """Return e^x; for large x as a power of 2 times a moderate power, since mpmath would raise e to a whole number."""
    if size <= MODERATE:
        return libmp.mpf_exp(x, bits)
    wide = bits + size + 16
    doublings = int(libmp.to_int(libmp.mpf_div(x, libmp.mpf_ln2(wide), wide)))  # an integer of gmpy2 is no exponent
    rest = libmp.mpf_sub(x, libmp.mpf_mul(libmp.from_int(doublings), libmp.mpf_ln2(wide), wide), wide)
    return libmp.mpf_shift(libmp.mpf_exp(rest, bits), doublings)


def logarithm(x: Ball, bits: int) -> Ball:
    """Return log x; `UnknownError` where x <= 0."""
    value, off = x
    if is_zero(x) or sign(x) == -1:
        raise UnknownError("the logarithm of a number that is not above 0")
    size = magnitude(value)
    if off > size - 3:
        raise UnsureError
    result = libmp.mpf_log(value, bits)
    error = magnitude(result) - bits + 2 if result[1] else EXACT
    return result, (max(error, off - size + 2) + 1 if off > INEXACT else error)


def square_root(x: Ball, bits: int) -> Ball:
    """Return the square root of x; `UnknownError` where x < 0."""
    value, off = x
    if is_zero(x):
        return ZERO
    if sign(x) == -1:
        raise UnknownError("the square root of a number below 0")
    size = magnitude(value)
    if off > size - 3:
        raise UnsureError
    root = libmp.mpf_sqrt(value, bits)
    if off <= INEXACT and libmp.mpf_mul(root, root) == value:
        return root, EXACT
    return root, max(magnitude(root) - bits + 1, off - magnitude(root) + 1) + 1
