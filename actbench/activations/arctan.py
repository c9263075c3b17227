"""The arc tangent, y = atan z, with values in (-pi/2, pi/2) and g' = 1 / (1 + z^2) = cos^2 y."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

SQUARE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "z^2 overflows",
    lambda z, fmt: abs(z) > sqrt(float(fmt.max)),
)
STEEP = Weakness(
    Flaw.CANCELS,
    "cos y is what is left of pi/2 - |y|, which loses the bits of |z|",
    lambda z, _: abs(z) > 1,
)


@activation
def arctan(m: Any) -> Formulas:
    """atan(z)

    G. Cybenko, "Approximation by Superpositions of a Sigmoidal Function", 1989: one of those that he allows.
    """

    def forward(z):
        return m.atan(z)

    def textbook(z):
        return 1.0 / (1.0 + z * z)

    def recompute(z):
        a = abs(z)
        if a > 1.0:
            r = 1.0 / a  # its square does not overflow
            r = r * r
            return r / (1.0 + r)
        return 1.0 / (1.0 + a * a)

    def recompute_array(z):
        a = abs(z)
        r = m.where(a > 1.0, 1.0 / m.where(a > 1.0, a, 1.0), a)
        r = r * r
        return m.where(a > 1.0, r, 1.0) / (1.0 + r)

    def cached(y):
        c = m.cos(y)  # dearer than a division: the output is enough, and of no use
        return c * c

    return Formulas(
        forward=forward,
        range=(-pi / 2.0, pi / 2.0),
        textbook=Strategy(textbook, weaknesses=(SQUARE_OVERFLOWS,)),
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Strategy(cached, weaknesses=(STEEP,)),
    )
