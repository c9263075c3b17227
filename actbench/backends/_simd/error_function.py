"""The error function.

Near 0, erf x = x + x P(x^2); from 1 on, 1 - e^G(x), where G is a polynomial for log(erfc x). W. J. Cody, "Rational
Chebyshev approximations for the error function", 1969, splits the range in the same way and divides; here one
exponential serves instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import muladd, polynomial, select, with_sign
from actbench.backends._simd.dispatch import by_dtype
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.reduction import power, reduction, rounding_constant


def _erf(
    fmt: Format, near: tuple[Any, ...], log_erfc: tuple[Any, ...], tail: tuple[Any, ...], saturated: float
) -> Callable[..., Any]:
    """Return the error function of a format. Beyond ``saturated``, erf rounds to 1."""
    reduced, power_of_two = reduction(fmt), power(fmt)
    constant = rounding_constant(fmt, 0)
    series = (*fmt.reals(1.0, 1.0), *tail)
    high, one = fmt.reals(saturated, 1.0)

    def erf(x):
        """Return the error function; at most 1.45 ULP off in float32, 1.45 in float64."""
        magnitude = abs(x)
        at_most = select(magnitude > high, high, magnitude)
        total, r = reduced(polynomial(at_most, log_erfc), constant)
        far = one - polynomial(r, series) * power_of_two(total)
        near_0 = muladd(magnitude, polynomial(magnitude * magnitude, near), magnitude)
        return with_sign(select(magnitude < one, near_0, far), x)

    return erf


erf = by_dtype(
    "erf",
    _erf(FLOAT32, coefficients.ERF_32, coefficients.LOG_ERFC_32, coefficients.EXPM1_32, 4.0),
    _erf(FLOAT64, coefficients.ERF_64, coefficients.LOG_ERFC_64, coefficients.EXPM1_64, 6.0),
)
