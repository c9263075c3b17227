"""The piecewise linear logistic, y = z / 6 + 1/2 within [0, 1]; g' = 1/6 between -3 and 3, else 0."""

from __future__ import annotations

from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

ROUNDS_TO_1 = Weakness(
    Flaw.MERGES,
    "y rounds to 1 just below z = 3",
    lambda z, fmt: (z < 3) & (z > 3 - 8 * fmt.eps),
)


@activation
def hard_sigmoid(m: Any) -> Formulas:
    """z / 6 + 1/2, at least 0 and at most 1

    M. Courbariaux, Y. Bengio and J.-P. David, "BinaryConnect: Training Deep Neural Networks with Binary Weights during
    Propagations", 2015; with this slope A. Howard et al., "Searching for MobileNetV3", 2019.
    """

    def forward(z):
        if z <= -3.0:
            return 0.0
        return 1.0 if z >= 3.0 else (z + 3.0) / 6.0

    def forward_array(z):
        return m.where(z <= -3.0, 0.0, m.where(z >= 3.0, 1.0, (z + 3.0) / 6.0))

    def recompute(z):
        return 1.0 / 6.0 if abs(z) < 3.0 else 0.0

    def recompute_array(z):
        return m.where(abs(z) < 3.0, 1.0 / 6.0 * m.ones_like(z), 0.0)

    def cached(y):
        return 1.0 / 6.0 if 0.0 < y < 1.0 else 0.0

    def cached_array(y):
        return m.where((y > 0.0) & (y < 1.0), 1.0 / 6.0 * m.ones_like(y), 0.0)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, 1.0),
        kinks={-3.0: 0.0, 3.0: 0.0},
        at_nan=0.0,
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Strategy(Piecewise(scalar=cached, array=cached_array), weaknesses=(ROUNDS_TO_1,)),
    )
