"""Squareplus, y = (z + sqrt(z^2 + b)) / 2, with values in (0, inf) and g' = y^2 / (y^2 + b/4)."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from actbench.activations._sixteen_bits import SQUARE_OVERFLOWS
from actbench.formula import Formulas, Piecewise, Strategy, activation


@activation
def squareplus(m: Any, b: float = 4.0) -> Formulas:
    """(z + sqrt(z^2 + b)) / 2

    J. T. Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021.
    """
    if not 1e-6 <= b <= 1e6:
        raise ValueError("b must be between 1e-6 and 1e6")
    far = 1e9 * max(1.0, sqrt(b))  # from there on z^2 + b rounds to z^2, which might overflow
    half, half_b, quarter = sqrt(b) / 2.0, b / 2.0, b / 4.0

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

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        weaknesses=(SQUARE_OVERFLOWS,),
        range=(0.0, inf),
        recompute=Strategy(Piecewise(scalar=recompute, array=recompute_array), weaknesses=(SQUARE_OVERFLOWS,)),
        cached=Strategy(Piecewise(scalar=cached, array=cached_array), weaknesses=(SQUARE_OVERFLOWS,)),
    )
