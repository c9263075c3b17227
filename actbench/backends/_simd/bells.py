"""The derivatives of the logistic function and of tanh at once: e / (1 + e)^2 and 4 e / (1 + e)^2, e = exp(-L |z|).

They take fewer operations than their parts would. The power of two by which the exponential is too large, and the
factor 4, go into the coefficients of the divisor. 1 + e (2 + e), in which a rounded 1 + e would count twice, is two
multiply-adds. In float64 on Zen 5, 2 + e is a sum, and the dividend is raised by an addition to its exponent: sums have
pipes of their own there, and both derivatives are 1.03 times faster.

With fused multiply-adds both are at most 2.379 ULP off over all 4,294,967,296 numbers of float32, at z = 5.54 and 2.77
(``python -m benchmarks.verify_simd``).
"""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import Any

from actbench.backends._simd.bits import bits, muladd, plus, real, select
from actbench.backends._simd.decay import LIFT, decay, raising
from actbench.backends._simd.dispatch import by_dtype, on_zen_5
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.quotient import quotient


def _bell(fmt: Format, steepness: float, factor: float, lowest: float) -> Callable[..., Any]:
    """Return the formula of `factor` e / (1 + e)^2, e = exp(-`steepness` |x|), which rounds to 0 below `lowest`."""
    (reduced, raised), constant = decay(fmt, steepness), raising(fmt, factor)
    low, c0, c1, c2 = fmt.reals(lowest, 2.0**LIFT, 2.0 / factor, 2.0**-LIFT / factor**2)

    def bell(x):
        """Return the derivative; at most 2.4 ULP off in float32, 2.4 in float64."""
        x = -abs(x)
        e = raised(*reduced(select(x < low, low, x), constant))
        return quotient(e, muladd(e, muladd(e, c2, c1), c0))

    return bell


def bell_by_sum(steepness: float, factor: float, lowest: float) -> Callable[..., Any]:
    """Return the formula in float64 whose divisor, 2^(2 LIFT) (1 + e)^2, takes a sum and a multiply-add."""
    (reduced, raised), constant = decay(FLOAT64, steepness), raising(FLOAT64)
    low, two, one = FLOAT64.reals(lowest, 2.0 ** (LIFT + 1), 2.0 ** (2 * LIFT))
    exponent = FLOAT64.integer((LIFT + int(log2(factor))) << FLOAT64.fraction)

    def bell(x):
        """Return the derivative; at most 2.4 ULP off."""
        x = -abs(x)
        e = raised(*reduced(select(x < low, low, x), constant))
        return quotient(real(plus(bits(e), exponent)), muladd(e, e + two, one))

    return bell


LOGISTIC = {FLOAT32: (1.0, 1.0, -104.0), FLOAT64: (1.0, 1.0, -746.0)}
TANH = {FLOAT32: (2.0, 4.0, -53.0), FLOAT64: (2.0, 4.0, -374.0)}
"""Steepness and factor, and the number below which the derivative rounds to 0."""


def _derivative(name: str, of: dict[Format, tuple[float, float, float]]) -> Callable[..., Any]:
    versions = _bell(FLOAT32, *of[FLOAT32]), _bell(FLOAT64, *of[FLOAT64])
    in_registers = versions[0], on_zen_5(bell_by_sum(*of[FLOAT64]), versions[1])
    return by_dtype(name, *versions, in_registers=in_registers)


logistic_derivative = _derivative("logistic_derivative", LOGISTIC)
tanh_derivative = _derivative("tanh_derivative", TANH)
