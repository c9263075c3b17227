"""The normal distribution function, y = Phi(z), with values in (0, 1) and g' = phi(z), its density."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from actbench.activations._normal import ROUNDED, UNDERFLOWS
from actbench.activations._sixteen_bits import SQUARE_ROUNDED
from actbench.activations._squares import rounding_error_of_square
from actbench.formula import Formulas, Piecewise, Strategy, activation, few_digits

FEW_DIGITS = few_digits(exponent=lambda z: -z * z / 2, factor=abs)


@activation
def probit(m: Any) -> Formulas:
    """erfc(-z / sqrt(2)) / 2

    C. I. Bliss, "The Method of Probits", 1934.
    """
    root_half = sqrt(0.5)
    peak = 1.0 / sqrt(2.0 * pi)
    square_error = rounding_error_of_square(m)

    def definition(z):
        return m.erfc(-z / m.sqrt(2.0)) / 2.0

    def forward(z):
        return 0.5 * m.erfc(-root_half * z)

    def recompute(z):
        if abs(z) <= 40.0:
            square = z * z
            e = m.exp(-0.5 * square)
            return peak * (e - 0.5 * e * square_error(z, square))
        return 0.0 if abs(z) > 40.0 else z  # or NaN, which has no floor

    def recompute_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-0.5 * square)
        return peak * (e - 0.5 * e * square_error(t, square))

    def second(z):
        if abs(z) <= 40.0:
            square = z * z
            e = m.exp(-0.5 * square)
            return -z * (peak * (e - 0.5 * e * square_error(z, square)))
        return 0.0 if abs(z) > 40.0 else z

    def second_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-0.5 * square)
        return -t * (peak * (e - 0.5 * e * square_error(t, square)))

    return Formulas(
        forward=forward,
        definition=definition,
        range=(0.0, 1.0),
        weaknesses=(ROUNDED, UNDERFLOWS),
        uncached="z is the inverse error function of y, which no backend has",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            weaknesses=(SQUARE_ROUNDED,),
            second=Strategy(Piecewise(scalar=second, array=second_array), weaknesses=(FEW_DIGITS, SQUARE_ROUNDED)),
        ),
    )
