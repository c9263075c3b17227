"""The rectified linear unit, y = max(z, 0), with values in [0, inf) and g' = 1 for z > 0, else 0."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def relu(m: Any) -> Formulas:
    """max(z, 0)

    V. Nair and G. E. Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.
    """

    def forward(z):
        return max(z, 0.0)

    def forward_array(z):
        return m.where(z < 0.0, 0.0, z)

    def recompute(z):
        return 1.0 if z > 0.0 else 0.0

    def recompute_array(z):
        return m.where(z > 0.0, m.ones_like(z), 0.0)

    def cached(y):
        return 1.0 if y > 0.0 else 0.0

    def cached_array(y):
        return m.where(y > 0.0, m.ones_like(y), 0.0)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, inf),
        kinks={0.0: 0.0},
        at_nan=0.0,
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Piecewise(scalar=cached, array=cached_array),
    )
