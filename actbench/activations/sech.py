"""The hyperbolic secant, y = 1 / cosh z, with values in (0, 1] and g' = -y tanh z."""

from __future__ import annotations

from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

PEAK = Weakness(
    Flaw.AMPLIFIES,
    "1 - y^2 is z^2 near 0, and has what rounding y has left of it",
    lambda z, fmt: 1.0 / (z * z + float(fmt.eps)),
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
        slope = y * m.sqrt((1.0 - y) * (1.0 + y))
        return -slope if z > 0.0 else slope

    def pair_array(z, y):
        slope = y * m.sqrt((1.0 - y) * (1.0 + y))
        return m.where(z > 0.0, -slope, slope)

    return Formulas(
        forward=forward,
        definition=definition,
        range=(0.0, 1.0),
        uncached="y is even: it does not tell the sign of z",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        pair=Strategy(Piecewise(scalar=pair, array=pair_array), weaknesses=(PEAK,)),
    )
