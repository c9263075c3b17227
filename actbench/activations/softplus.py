"""The softplus, y = log(1 + e^z), with values in (0, inf) and g' the logistic function, 1 - e^-y."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def softplus(m: Any) -> Formulas:
    """log(1 + exp(z))

    C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia, "Incorporating Second-Order Functional Knowledge for
    Better Option Pricing", 2001.
    """

    def forward(z):
        if z > 0.0:
            return z + m.log1p(m.exp(-z))
        return m.log1p(m.exp(z))

    def forward_array(z):
        return m.where(z > 0.0, z, 0.0) + m.log1p(m.exp(-abs(z)))

    def recompute(z):
        if z < 0.0:
            e = m.exp(z)
            return e / (1.0 + e)
        return 1.0 / (1.0 + m.exp(-z))

    def recompute_array(z):
        e = m.exp(-abs(z))
        return m.where(z < 0.0, e, 1.0) / (1.0 + e)

    def cached(y):
        return -m.expm1(-y)  # the output suffices, but takes another exponential

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, inf),
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=cached,
    )
