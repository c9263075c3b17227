"""The Gaussian, y = e^(-z^2), with values in (0, 1] and g' = -2 z y."""

from __future__ import annotations

from typing import Any

from actbench.activations._at_once import has
from actbench.activations._sixteen_bits import SQUARE_ROUNDED
from actbench.activations._squares import rounding_error_of_square
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits

FEW_DIGITS = few_digits(exponent=lambda z: -z * z, factor=lambda z: 2.0 * abs(z))

CROSSES = Weakness(
    Flaw.AMPLIFIES,
    "4 z^2 - 2 is 0 at |z| = 0.707, and has what rounding z^2 has left of it",
    lambda z, fmt: 4.0 / (abs(4.0 * z * z - 2.0) + float(fmt.eps)),
)
OF_SECOND = (CROSSES, few_digits(exponent=lambda z: -z * z, factor=lambda z: 4.0 * z * z), SQUARE_ROUNDED)


@activation
def gaussian(m: Any) -> Formulas:
    """exp(-z^2)

    D. S. Broomhead and D. Lowe, "Multivariable Functional Interpolation and Adaptive Networks", 1988.
    """
    square_error = rounding_error_of_square(m)

    def forward(z):
        if abs(z) <= 40.0:  # e^(-z^2) is 0 from 28 on, and z^2 may overflow
            square = z * z
            e = m.exp(-square)
            return e - e * square_error(z, square)
        return 0.0 if abs(z) > 40.0 else z  # or NaN, which has no floor

    def forward_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-square)
        return e - e * square_error(t, square)

    def recompute(z):
        if abs(z) <= 40.0:
            square = z * z
            e = m.exp(-square)
            return -2.0 * z * (e - e * square_error(z, square))
        return 0.0 if abs(z) > 40.0 else z

    def recompute_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-square)
        return -2.0 * t * (e - e * square_error(t, square))

    def recompute_at_once(z):
        return m.gaussian_derivative(z)

    def pair(z, y):
        return 0.0 if abs(z) > 40.0 else -2.0 * z * y

    def pair_array(z, y):
        return -2.0 * m.where(abs(z) > 40.0, 40.0, z) * y

    def second(z):
        if abs(z) <= 40.0:
            square = z * z
            e = m.exp(-square)
            return (4.0 * square - 2.0) * (e - e * square_error(z, square))
        return 0.0 if abs(z) > 40.0 else z

    def second_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-square)
        return (4.0 * square - 2.0) * (e - e * square_error(t, square))

    def second_pair(z, y):
        return 0.0 if abs(z) > 40.0 else (4.0 * z * z - 2.0) * y

    def second_pair_array(z, y):
        t = m.where(abs(z) > 40.0, 40.0, z)
        return (4.0 * t * t - 2.0) * y

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        weaknesses=(SQUARE_ROUNDED,),
        range=(0.0, 1.0),
        uncached="y is even: it does not tell the sign of z",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "gaussian_derivative") else recompute_array),
            weaknesses=(FEW_DIGITS, SQUARE_ROUNDED),
            second=Strategy(Piecewise(scalar=second, array=second_array), weaknesses=OF_SECOND),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array),
            weaknesses=(FEW_DIGITS, SQUARE_ROUNDED),
            second=Strategy(Piecewise(scalar=second_pair, array=second_pair_array), weaknesses=OF_SECOND),
        ),
    )
