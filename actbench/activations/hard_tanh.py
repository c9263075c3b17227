"""The piecewise linear tanh: z within [-1, 1]; g' = 1 between -1 and 1, else 0."""

from __future__ import annotations

from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def hard_tanh(m: Any) -> Formulas:
    """z, at least -1 and at most 1

    R. Collobert, "Large Scale Machine Learning", 2004.
    """

    def forward(z):
        if z <= -1.0:
            return -1.0
        return 1.0 if z >= 1.0 else z

    def forward_array(z):
        return m.where(z <= -1.0, -1.0, m.where(z >= 1.0, 1.0, z))

    def recompute(z):
        return 1.0 if abs(z) < 1.0 else 0.0

    def recompute_array(z):
        return m.where(abs(z) < 1.0, m.ones_like(z), 0.0)

    def cached(y):
        return 1.0 if abs(y) < 1.0 else 0.0

    def cached_array(y):
        return m.where(abs(y) < 1.0, m.ones_like(y), 0.0)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-1.0, 1.0),
        kinks={-1.0: 0.0, 1.0: 0.0},
        at_nan=0.0,
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Piecewise(scalar=cached, array=cached_array),
    )
