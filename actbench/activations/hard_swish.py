"""The piecewise quadratic swish, y = z h(z) with h the hard sigmoid; g' = (2 z + 3) / 6 between -3 and 3."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def hard_swish(m: Any) -> Formulas:
    """z (z + 3) / 6 between -3 and 3, 0 below and z above

    A. Howard et al., "Searching for MobileNetV3", 2019.
    """

    def forward(z):
        if z <= -3.0:
            return 0.0
        return z if z >= 3.0 else z * (z + 3.0) / 6.0

    def forward_array(z):
        near = m.where(abs(z) > 3.0, 0.0, z)  # a square elsewhere might overflow
        return m.where(z <= -3.0, 0.0, m.where(z >= 3.0, z, near * (z + 3.0) / 6.0))

    def recompute(z):
        if z <= -3.0:
            return 0.0
        return 1.0 if z >= 3.0 else (2.0 * z + 3.0) / 6.0

    def recompute_array(z):
        near = m.where(abs(z) > 3.0, 0.0, z)
        return m.where(z <= -3.0, 0.0, m.where(z >= 3.0, 1.0, (2.0 * near + 3.0) / 6.0))

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-0.375, inf),
        kinks={-3.0: 0.0, 3.0: 1.0},
        uncached="y between -0.375 and 0 comes from two different z",
        without_second="it is piecewise constant, 1/3 between -3 and 3, else 0",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
    )
