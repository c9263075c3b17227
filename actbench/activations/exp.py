"""The exponential function, y = e^z, which is its own derivative."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.formula import Formulas, Piecewise, Strategy, activation


@activation
def exp(m: Any) -> Formulas:
    """exp(z)

    J. S. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990: softmax before its
    normalisation.
    """
    beyond = inf  # of the kernel's own type

    def definition(z):
        return m.exp(z)

    def forward(z):
        return m.exp(z) if z <= 709.782712893384 else z * beyond  # where pure Python would raise

    def forward_array(z):
        return m.exp(z)

    def recompute(z):
        return m.exp(z) if z <= 709.782712893384 else z * beyond

    def recompute_array(z):
        return m.exp(z)

    def cached(y):
        return y

    def cached_array(y):
        return m.copy(y)

    from_z = Piecewise(scalar=recompute, array=recompute_array)
    from_y = Piecewise(scalar=cached, array=cached_array)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(0.0, inf),
        recompute=Strategy(from_z, second=from_z),
        cached=Strategy(from_y, second=from_y),
    )
