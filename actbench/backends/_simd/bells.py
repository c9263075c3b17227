"""The derivatives of the logistic function and of tanh at once: e / (1 + e)^2 and 4 e / (1 + e)^2, e = exp(-L |z|).

They take fewer operations than their parts would. A power of two by which the exponential is too large, lest it be
subnormal before the last rounding, and the factor 4 go into the coefficients of the divisor; L goes into those of the
polynomial. 1 + e (2 + e), in which a rounded 1 + e would count twice, is two multiply-adds.

With fused multiply-adds both are at most 2.379 ULP off over all 4,294,967,296 numbers of float32, at z = 5.54 and 2.77
(``python -m benchmarks.verify_simd``).
"""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import muladd, polynomial, select
from actbench.backends._simd.dispatch import by_dtype
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.reduction import power, reduction, rounding_constant

LIFT = 64
"""The divisor is 2^LIFT (1 + e)^2, and the dividend as many times too large."""


def _bell(fmt: Format, tail: tuple[Any, ...], steepness: float, factor: float, lowest: float) -> Callable[..., Any]:
    """Return the formula of `factor` e / (1 + e)^2, e = exp(-`steepness` |z|), which rounds to 0 below `lowest`."""
    reduced, power_of_two = reduction(fmt, factor=steepness), power(fmt)
    constant = rounding_constant(fmt, LIFT + int(log2(factor)))
    low, c0, c1, c2 = fmt.reals(lowest, 2.0**LIFT, 2.0 / factor, 2.0**-LIFT / factor**2)
    series = tuple(fmt.real(float(c) * steepness**power) for power, c in enumerate((1.0, *tail), 1))

    def bell(x):
        """Return the derivative; at most 2.4 ULP off in float32, 2.4 in float64."""
        x = -abs(x)
        total, r = reduced(select(x < low, low, x), constant)
        scale = power_of_two(total)
        raised = muladd(polynomial(r, series), r * scale, scale)  # factor 2^LIFT e
        return raised / muladd(raised, muladd(raised, c2, c1), c0)

    return bell


logistic_derivative = by_dtype(
    "logistic_derivative",
    _bell(FLOAT32, coefficients.EXP_CENTRED_32, 1.0, 1.0, -104.0),
    _bell(FLOAT64, coefficients.EXP_CENTRED_64, 1.0, 1.0, -746.0),
)
tanh_derivative = by_dtype(
    "tanh_derivative",
    _bell(FLOAT32, coefficients.EXP_CENTRED_32, 2.0, 4.0, -53.0),
    _bell(FLOAT64, coefficients.EXP_CENTRED_64, 2.0, 4.0, -374.0),
)
