"""The square of the rectified linear unit, with values in [0, inf) and g' = 2 max(z, 0) = 2 sqrt(y)."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

SQUARE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "y = z^2 overflows, and z does not",
    lambda z, fmt: z > sqrt(float(fmt.max)) * (1 - 4 * float(fmt.eps)),
)
SQUARE_UNDERFLOWS = Weakness(
    Flaw.AMPLIFIES,
    "y = z^2 is subnormal or 0, and has few digits or none",
    lambda z, fmt: (sqrt(float(fmt.tiny)) / (abs(z) + float(fmt.tiny))) ** 2,
)


@activation
def squared_relu(m: Any) -> Formulas:
    """max(z, 0)^2

    D. R. So et al., "Primer: Searching for Efficient Transformers for Language Modeling", 2021.
    """

    def forward(z):
        r = max(z, 0.0)
        return r * r

    def forward_array(z):
        r = m.where(z < 0.0, 0.0, z)
        return r * r

    def recompute(z):
        return 2.0 * max(z, 0.0)

    def recompute_array(z):
        return 2.0 * m.where(z < 0.0, 0.0, z)

    def cached(y):
        return 2.0 * m.sqrt(y)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, inf),
        without_second="it is piecewise constant, 2 where z > 0, else 0",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Strategy(cached, weaknesses=(SQUARE_OVERFLOWS, SQUARE_UNDERFLOWS)),
    )
