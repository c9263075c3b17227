"""Squareplus, y = (z + sqrt(z^2 + b)) / 2, with values in (0, inf) and g' = y^2 / (y^2 + b/4)."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from actbench.activations._sixteen_bits import SQUARE_OVERFLOWS
from actbench.formula import Formulas, Piecewise, Strategy, activation


def _second(m: Any, b: float, far: float) -> tuple[Piecewise, ...]:
    """Return the forms of g'' from z, and from y."""
    half, half_b = sqrt(b) / 2.0, b / 2.0
    steepest = 2.0 / half

    def second(z):
        a = abs(z)
        if a > far:
            return half_b / a / a / a
        square = a * a + b
        return half_b / square / m.sqrt(square)

    def second_array(z):
        a = abs(z)
        near = m.where(a > far, far, a)
        square = near * near + b
        beyond = m.where(a > far, a, 1.0)
        return m.where(a > far, half_b / beyond / beyond / beyond, half_b / square / m.sqrt(square))

    def second_cached(y):
        r = y / half if y < half else half / y
        c = r / (1.0 + r * r)
        return steepest * c * (c * c)

    def second_cached_array(y):
        low = y < half
        r = m.where(low, y, half) / m.where(low, half, y)
        c = r / (1.0 + r * r)
        return steepest * c * (c * c)

    return Piecewise(scalar=second, array=second_array), Piecewise(scalar=second_cached, array=second_cached_array)


@activation
def squareplus(m: Any, b: float = 4.0) -> Formulas:
    """(z + sqrt(z^2 + b)) / 2

    J. T. Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021.
    """
    if not 1e-6 <= b <= 1e6:
        raise ValueError("b must be between 1e-6 and 1e6")
    far = 1e9 * max(1.0, sqrt(b))  # from there on z^2 + b rounds to z^2, which might overflow
    half, half_b, quarter = sqrt(b) / 2.0, b / 2.0, b / 4.0

    def definition(z):
        h = 0.5 * (abs(z) + m.sqrt(z * z + b))
        return quarter / h if z < 0.0 else h

    def forward(z):
        a = abs(z)
        h = a if a > far else 0.5 * (a + m.sqrt(a * a + b))
        return quarter / h if z < 0.0 else h

    def forward_array(z):
        a = abs(z)
        near = m.where(a > far, far, a)
        h = m.where(a > far, a, 0.5 * (near + m.sqrt(near * near + b)))
        return m.where(z < 0.0, quarter / h, h)

    def recompute(z):
        a = abs(z)
        if a > far:
            small = quarter / a / a
        else:
            square = a * a + b
            small = half_b / (square + a * m.sqrt(square))  # g'(-|z|), which cannot cancel
        return small if z < 0.0 else 1.0 - small

    def recompute_array(z):
        a = abs(z)
        near = m.where(a > far, far, a)
        square = near * near + b
        beyond = m.where(a > far, a, 1.0)
        small = m.where(a > far, quarter / beyond / beyond, half_b / (square + near * m.sqrt(square)))
        return m.where(z < 0.0, small, 1.0 - small)

    def cached(y):
        if y < half:
            r = y / half
            return r * r / (1.0 + r * r)
        r = half / y  # its square does not overflow
        return 1.0 / (1.0 + r * r)

    def cached_array(y):
        low = y < half
        r = m.where(low, y, half) / m.where(low, half, y)
        r = r * r
        return m.where(low, r, 1.0) / (1.0 + r)

    of_z, of_y = _second(m, b, far)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        weaknesses=(SQUARE_OVERFLOWS,),
        range=(0.0, inf),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            weaknesses=(SQUARE_OVERFLOWS,),
            second=Strategy(of_z, weaknesses=(SQUARE_OVERFLOWS,)),
        ),
        cached=Strategy(
            Piecewise(scalar=cached, array=cached_array),
            weaknesses=(SQUARE_OVERFLOWS,),
            second=Strategy(of_y, weaknesses=(SQUARE_OVERFLOWS,)),
        ),
    )
