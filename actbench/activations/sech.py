"""The hyperbolic secant, y = 1 / cosh z, with values in (0, 1] and g' = -y tanh z."""

from __future__ import annotations

from math import sqrt
from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

PEAK = Weakness(
    Flaw.AMPLIFIES,
    "1 - y^2 is z^2 near 0, and has what rounding y has left of it",
    lambda z, fmt: 1.0 / (z * z + abs(z) * sqrt(float(fmt.eps)) + float(fmt.tiny)),  # y next to 1 has the sqrt of eps
)

SECOND_CROSSES = Weakness(
    Flaw.CANCELS,
    "1 - 2 y^2 is the difference of two numbers near |z| = 0.881, where it is 0",
    lambda z, _: abs(abs(z) - 0.8814) < 0.65,
)
SECOND_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "in 16 bits y is rounded more than once, and y (1 - 2 y^2) has five times its error near 0",
    lambda z, _: 1.0 / (1.0 + z * z),
    narrow=True,
)


@activation
def sech(m: Any) -> Formulas:
    """1 / cosh(z)

    S. Amari, "Dynamics of Pattern Formation in Lateral-Inhibition Type Neural Fields", 1977: bumps of this shape.
    """

    def definition(z):
        return 1.0 / m.cosh(z)

    def forward(z):
        e = m.exp(-abs(z))  # at most 1: nothing overflows
        return 2.0 * e / (1.0 + e * e)

    def recompute(z):
        e = m.exp(-abs(z))
        d = 1.0 + e * e
        slope = 2.0 * e * m.expm1(-2.0 * abs(z)) / (d * d)  # 1 - e^2 would cancel near 0
        return slope if z > 0.0 else -slope

    def recompute_array(z):
        a = abs(z)
        e = m.exp(-a)
        d = 1.0 + e * e
        slope = 2.0 * e * m.expm1(-2.0 * a) / (d * d)
        return m.where(z > 0.0, slope, -slope)

    def pair(z, y):
        slope = y * m.sqrt(max((1.0 - y) * (1.0 + y), 0.0))  # a quotient that is not rounded to nearest may exceed 1
        return -slope if z > 0.0 else slope

    def pair_array(z, y):
        square = (1.0 - y) * (1.0 + y)
        slope = y * m.sqrt(m.where(square < 0.0, 0.0, square))
        return m.where(z > 0.0, -slope, slope)

    def second(z):
        e = m.exp(-abs(z))
        d = 1.0 + e * e
        y = 2.0 * e / d
        return y * (1.0 - 2.0 * y * y)

    def second_pair(z, y):  # noqa: ARG001  # the parameters say what is kept: g'' is even
        return y * (1.0 - 2.0 * y * y)

    return Formulas(
        forward=forward,
        definition=definition,
        range=(0.0, 1.0),
        uncached="y is even: it does not tell the sign of z",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            second=Strategy(second, weaknesses=(SECOND_CROSSES, SECOND_ROUNDED)),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array),
            weaknesses=(PEAK,),
            second=Strategy(second_pair, weaknesses=(SECOND_CROSSES, SECOND_ROUNDED)),
        ),
    )
