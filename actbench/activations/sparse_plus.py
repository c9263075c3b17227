"""Sparseplus, the integral of the sparse sigmoid: quadratic between -1 and 1; g' = (z + 1) / 2 there, sqrt(y)."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def sparse_plus(m: Any) -> Formulas:
    """(z + 1)^2 / 4 between -1 and 1, 0 below and z above

    A. F. T. Martins and R. F. Astudillo, "From Softmax to Sparsemax", 2016: the loss of sparsemax for two classes.
    """

    def forward(z):
        if z <= -1.0:
            return 0.0
        return z if z >= 1.0 else 0.25 * (z + 1.0) * (z + 1.0)

    def forward_array(z):
        near = m.where(abs(z) > 1.0, 0.0, z) + 1.0  # a square elsewhere might overflow
        return m.where(z <= -1.0, 0.0, m.where(z >= 1.0, z, 0.25 * near * near))

    def recompute(z):
        if z <= -1.0:
            return 0.0
        return 1.0 if z >= 1.0 else 0.5 * (z + 1.0)

    def recompute_array(z):
        return m.where(z <= -1.0, 0.0, m.where(z >= 1.0, 1.0, 0.5 * (z + 1.0)))

    def cached(y):
        return 1.0 if y >= 1.0 else m.sqrt(y)

    def cached_array(y):
        return m.where(y >= 1.0, 1.0, m.sqrt(y))

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, inf),
        without_second="it is piecewise constant, 1/2 between -1 and 1, else 0",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Piecewise(scalar=cached, array=cached_array),
    )
