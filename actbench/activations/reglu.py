"""The linear unit gated by a rectifier, y = max(a, 0) b."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._gates import of_quotient, quotients
from actbench.formula import Formulas, Piecewise, Strategy, activation

LOST = of_quotient(lambda a: a * (a > 0))


@activation
def reglu(m: Any) -> Formulas:
    """max(a, 0) b

    N. Shazeer, "GLU Variants Improve Transformer", 2020.
    """
    quotient, quotient_of_arrays = quotients(m)

    def forward(a, b):
        return max(a, 0.0) * b

    def forward_array(a, b):
        return m.where(a < 0.0, 0.0, a) * b

    def recompute(a, b):
        return (b if a > 0.0 else 0.0), max(a, 0.0)

    def recompute_array(a, b):
        return m.where(a > 0.0, b, 0.0), m.where(a < 0.0, 0.0, a)

    def cached(y, b):
        g = quotient(y, b)
        return (b if g > 0.0 else 0.0), g

    def cached_array(y, b):
        g = quotient_of_arrays(y, b)
        return m.where(g > 0.0, b, 0.0), g

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, inf),
        kinks={0.0: 0.0},
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Strategy(Piecewise(scalar=cached, array=cached_array), weaknesses=LOST),
    )
