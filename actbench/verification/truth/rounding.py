"""Numbers of mpmath, rounded to float64, and what rounding leaves: both by division of integers, which rounds once."""

from __future__ import annotations

import math
import sys
from typing import Any

import mpmath
from mpmath import libmp

LOWEST_EXPONENT = -8192
"""Exponent of 2 of a mantissa below which its power of 2 is not written as an integer: it may have millions of bits."""


def to_float(number: Any) -> float:
    """Return the nearest float64: inf beyond the largest one, NaN for what is not a real number, such as None."""
    if number is None:
        return math.nan
    sign, mantissa, exponent, bits = _raw(number)
    if not mantissa or exponent < LOWEST_EXPONENT:
        value: float = libmp.to_float((sign, mantissa, exponent, bits), rnd="n")
        return value
    whole = int(mantissa)  # one of gmpy2 would be divided otherwise
    try:
        size = math.ldexp(whole, exponent) if exponent >= 0 else whole / (1 << -exponent)
    except OverflowError:
        size = math.inf
    if size == sys.float_info.max and abs(number) > size:
        size = math.inf
    return -size if sign else size


def rest(number: Any, value: float, unit: float) -> float:
    """Return by how many units a number exceeds a float; 0 where the float is no number."""
    if not math.isfinite(value):
        return 0.0
    raw = _raw(number)
    sign, mantissa, exponent, _ = raw
    part, power = math.frexp(unit)
    shift = int(exponent) - power + 1
    if part != 0.5 or not LOWEST_EXPONENT < shift <= 0:  # not a power of 2, or too far away
        difference = libmp.mpf_sub(raw, libmp.from_float(value))
        quotient: float = libmp.to_float(libmp.mpf_div(difference, libmp.from_float(unit), 53, "n"))
        return quotient
    units = int(value / unit)
    whole = -int(mantissa) if sign else int(mantissa)
    return (whole - (units << -shift)) / (1 << -shift)


def _raw(number: Any) -> Any:
    """Return a number in the form that mpmath's low-level functions take: (sign, mantissa, exponent, bits)."""
    return number._mpf_ if isinstance(number, mpmath.mpf) else mpmath.mpf(number)._mpf_
