"""The sparse sigmoid, y = (z + 1) / 2 within [0, 1]; g' = 1/2 between -1 and 1, else 0."""

from __future__ import annotations

from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

ROUNDS_TO_1 = Weakness(
    Flaw.MERGES,
    "y rounds to 1 just below z = 1",
    lambda z, fmt: (z < 1) & (z > 1 - 2 * fmt.eps),
)


@activation
def sparse_sigmoid(m: Any) -> Formulas:
    """(z + 1) / 2, at least 0 and at most 1

    A. F. T. Martins and R. F. Astudillo, "From Softmax to Sparsemax", 2016: sparsemax of two classes.
    """

    def forward(z):
        if z <= -1.0:
            return 0.0
        return 1.0 if z >= 1.0 else 0.5 * (z + 1.0)

    def forward_array(z):
        return m.where(z <= -1.0, 0.0, m.where(z >= 1.0, 1.0, 0.5 * (z + 1.0)))

    def recompute(z):
        return 0.5 if abs(z) < 1.0 else 0.0

    def recompute_array(z):
        return m.where(abs(z) < 1.0, 0.5 * m.ones_like(z), 0.0)

    def cached(y):
        return 0.5 if 0.0 < y < 1.0 else 0.0

    def cached_array(y):
        return m.where((y > 0.0) & (y < 1.0), 0.5 * m.ones_like(y), 0.0)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, 1.0),
        kinks={-1.0: 0.0, 1.0: 0.0},
        at_nan=0.0,
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Strategy(Piecewise(scalar=cached, array=cached_array), weaknesses=(ROUNDS_TO_1,)),
    )
