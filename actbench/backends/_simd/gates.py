"""The logistic function, and derivatives of x s(x), s a sigmoid with s(-x) = 1 - s(x), at once.

Such a derivative is h for x < 0 and 1 - h for x > 0, h the one at -|x|: one exponential, one division, and nothing that
cancels but where h is 0. With e = exp(-w), w(|x|) odd, h is e (1 - |x| w' + e) / (1 + e)^2. Mish's sigmoid has other
symmetries: see there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

from actbench.backends._simd.bits import muladd, select
from actbench.backends._simd.decay import LIFT, VANISHES, decay, is_negative, raising
from actbench.backends._simd.dispatch import by_dtype, inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format

VANISHES_MULTIPLIED = {FLOAT32: -112.0, FLOAT64: -753.0}
"""Exponents from which on x e^x rounds to 0."""

TANH_VANISHES = {FLOAT32: 11.1, FLOAT64: 21.8}
"""Of GELU by tanh."""


def _logistic(fmt: Format) -> Callable[..., Any]:
    (reduced, raised), negative = decay(fmt), is_negative(fmt)
    constant = raising(fmt)
    low, one = fmt.reals(VANISHES[fmt], 2.0**LIFT)

    def logistic(x):
        """Return 1 / (1 + e^-x); at most 2.5 ULP off in float32, 2.5 in float64."""
        exponent = -abs(x)
        e = raised(*reduced(select(exponent < low, low, exponent), constant))
        return select(negative(x), e, one) / (e + one)

    return logistic


def _h(fmt: Format) -> Callable[..., Any]:
    """Return the function of the raised e, and of 1 - |x| w', that gives h."""
    c0, c1, c2 = fmt.reals(2.0**LIFT, 2.0, 2.0**-LIFT)

    @inlined
    def h(e, rest):
        return e * muladd(e, c2, rest) / muladd(e, muladd(e, c2, c1), c0)

    return h


def _silu_derivative(fmt: Format) -> Callable[..., Any]:
    (reduced, raised), negative, h = decay(fmt), is_negative(fmt), _h(fmt)
    constant = raising(fmt)
    low, one = fmt.reals(VANISHES_MULTIPLIED[fmt], 1.0)

    def silu_derivative(x):
        """Return the derivative of x / (1 + e^-x); at most 4.3 ULP off in float32, 4.8 in float64.

        Except near x = -1.28, where it is 0.
        """
        exponent = -abs(x)
        exponent = select(exponent < low, low, exponent)
        below = h(raised(*reduced(exponent, constant)), one + exponent)
        return select(negative(x), below, one - below)

    return silu_derivative


def _gelu_tanh_derivative(fmt: Format) -> Callable[..., Any]:
    (reduced, raised), negative, h = decay(fmt), is_negative(fmt), _h(fmt)
    constant = raising(fmt)
    slope = -2.0 * sqrt(2.0 / pi)
    high, linear, cubic, cubic_slope, one = fmt.reals(
        TANH_VANISHES[fmt], slope, slope * 0.044715, slope * 3.0 * 0.044715, 1.0
    )

    def gelu_tanh_derivative(x):
        """Return the derivative of GELU by tanh; at most 220 ULP off in float32, 1600 in float64.

        Except near x = -0.75, where it is 0; that many only where the exponent, which is rounded, is large.
        """
        size = abs(x)
        size = select(size > high, high, size)
        square = size * size
        e = raised(*reduced(size * muladd(square, cubic, linear), constant))
        below = h(e, muladd(size, muladd(square, cubic_slope, linear), one))
        return select(negative(x), below, one - below)

    return gelu_tanh_derivative


def _mish_derivative(fmt: Format) -> Callable[..., Any]:
    """Return the derivative of Mish: a polynomial of s over the square of another, s = e^x below 0, else 2 e^-x."""
    (reduced, raised), negative = decay(fmt), is_negative(fmt)
    once, twice = raising(fmt), raising(fmt, 2.0)
    low, zero, raised_one, lowering = fmt.reals(VANISHES_MULTIPLIED[fmt], 0.0, 2.0**LIFT, 2.0**-LIFT)
    half_root, root = fmt.reals(2.0 ** (LIFT // 2 - 1), 2.0 ** (LIFT // 2))
    quarter, half, one, one_and_half, two = fmt.reals(0.25, 0.5, 1.0, 1.5, 2.0)

    def mish_derivative(x):
        """Return the derivative of x tanh(log(1 + e^x)); at most 6 ULP off in float32, 6 in float64.

        Except near x = -1.19, where it is 0.
        """
        below = negative(x)
        x = select(x < low, low, x)
        x = select(x > -low, -low, x)
        large = raised(*reduced(-abs(x), select(below, once, twice)))
        s = large * lowering
        root_of_divisor = muladd(s, muladd(s, half_root, root), root)
        x_and_1 = x + one
        cubic = select(below, muladd(s, quarter, one), half * x_and_1)
        rest = muladd(s, muladd(s, cubic, x + one_and_half), select(below, x_and_1, two))
        return muladd(large, rest, select(below, zero, raised_one)) / (root_of_divisor * root_of_divisor)

    return mish_derivative


logistic = by_dtype("logistic", _logistic(FLOAT32), _logistic(FLOAT64))
silu_derivative = by_dtype("silu_derivative", _silu_derivative(FLOAT32), _silu_derivative(FLOAT64))
gelu_tanh_derivative = by_dtype("gelu_tanh_derivative", _gelu_tanh_derivative(FLOAT32), _gelu_tanh_derivative(FLOAT64))
mish_derivative = by_dtype("mish_derivative", _mish_derivative(FLOAT32), _mish_derivative(FLOAT64))
