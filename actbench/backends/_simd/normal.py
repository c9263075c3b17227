"""Derivatives with the normal distribution's density, at once: of GELU and of the Gaussian.

The derivative of GELU is h for x < 0 and 1 - h for x > 0, with h = e^(-x^2 / 2) (R(|x|) - |x| / sqrt(2 pi)) and
R(x) = erfcx(x / sqrt(2)) / 2, a polynomial of (x - b) / (x + b) (M. M. Shepherd and J. G. Laframboise, "Chebyshev
approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < oo", 1981). So the distribution function and the density share one
exponential, x is not divided by sqrt(2), which would round it, and no tail is lost. The exponential's argument is the
square with its rounding error.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import muladd, polynomial, select, with_sign
from actbench.backends._simd.decay import LIFT, decay, is_negative, raising, rounding_error_of_square
from actbench.backends._simd.dispatch import by_dtype, inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format


def _bell(fmt: Format, steepness: float) -> Callable[..., Any]:
    """Return the function of x that gives a raised e^(`steepness` x^2)."""
    (reduced, raised), error = decay(fmt, steepness), rounding_error_of_square(fmt)
    constant = raising(fmt)

    @inlined
    def bell(x):
        square = x * x
        total, r = reduced(square, constant)
        return raised(total, r + error(x, square))

    return bell


def _gelu_derivative(fmt: Format, ratio: tuple[Any, ...], halfway: float, vanished: float) -> Callable[..., Any]:
    """Return the derivative of GELU, which rounds to 0 from -`vanished` down."""
    bell, negative = _bell(fmt, -0.5), is_negative(fmt)
    high, b, minus_peak, zero, one, lowering = fmt.reals(vanished, halfway, -1.0 / sqrt(2.0 * pi), 0.0, 1.0, 2.0**-LIFT)

    def gelu_derivative(x):
        """Return the derivative of x (1 + erf(x / sqrt(2))) / 2; at most 6.5 ULP off in float32, 10 in float64.

        Except for x from -2.4 to -0.45: it is 0 at -0.75.
        """
        size = abs(x)
        size = select(size > high, high, size)
        q = (size - b) / (size + b)
        below = bell(size) * muladd(size, minus_peak, polynomial(q, ratio)) * lowering
        return select(negative(x), below + zero, one - below)  # -0 becomes 0

    return gelu_derivative


def _gaussian_derivative(fmt: Format, vanished: float) -> Callable[..., Any]:
    """Return the derivative of the Gaussian, which rounds to 0 from `vanished` on."""
    bell = _bell(fmt, -1.0)
    high, lowering = fmt.reals(vanished, 2.0 ** (1 - LIFT))

    def gaussian_derivative(x):
        """Return the derivative of e^(-x^2); at most 2 ULP off in float32, 2 in float64."""
        size = abs(x)
        size = select(size > high, high, size)
        return with_sign(bell(size) * size * lowering, -x)

    return gaussian_derivative


gelu_derivative = by_dtype(
    "gelu_derivative",
    _gelu_derivative(FLOAT32, coefficients.MILLS_32, 4.0, 14.6),
    _gelu_derivative(FLOAT64, coefficients.MILLS_64, 6.0, 38.7),
)
gaussian_derivative = by_dtype(
    "gaussian_derivative", _gaussian_derivative(FLOAT32, 10.4), _gaussian_derivative(FLOAT64, 27.4)
)
