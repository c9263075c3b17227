"""The logarithm of the hyperbolic cosine, y = log(cosh z), with values in [0, inf) and g' = tanh z."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

UNDERFLOWS = Weakness(
    Flaw.AMPLIFIES,
    "y = z^2 / 2 is subnormal or 0, and has few digits or none",
    lambda z, fmt: 2.0 * (sqrt(float(fmt.tiny)) / (abs(z) + float(fmt.tiny))) ** 2,
)

Y_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "y is rounded to the digits of z, and the exponential multiplies the error by 2 z",
    lambda z, _: 2.0 * abs(z),
)


@activation
def log_cosh(m: Any) -> Formulas:
    """log(cosh(z))

    A. Hyvärinen, "Fast and Robust Fixed-Point Algorithms for Independent Component Analysis", 1999.
    """
    log_2 = log(2.0)

    def definition(z):
        return m.log(m.cosh(z))

    def forward(z):
        a = abs(z)
        if a < 1.0:
            s = m.sinh(z)
            return 0.5 * m.log1p(s * s)  # log(cosh^2) / 2, which does not cancel near 0
        return (a - log_2) + m.log1p(m.exp(-2.0 * a))

    def forward_array(z):
        a = abs(z)
        s = m.sinh(m.where(a < 1.0, z, 1.0))
        return m.where(a < 1.0, 0.5 * m.log1p(s * s), (a - log_2) + m.log1p(m.exp(-2.0 * a)))

    def recompute(z):
        return m.tanh(z)

    def pair(z, y):
        t = m.sqrt(-m.expm1(-2.0 * y))
        return t if z > 0.0 else -t

    def pair_array(z, y):
        t = m.sqrt(-m.expm1(-2.0 * y))
        return m.where(z > 0.0, t, -t)

    def second(z):
        e = m.exp(-2.0 * abs(z))
        return 4.0 * e / (1.0 + e * (2.0 + e))

    def second_pair(z, y):  # noqa: ARG001  # the parameters say what is kept: g'' is even
        return m.exp(-2.0 * y)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(0.0, inf),
        uncached="y is even: it does not tell the sign of z",
        recompute=Strategy(recompute, second=second),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array),
            weaknesses=(UNDERFLOWS,),
            second=Strategy(second_pair, weaknesses=(Y_ROUNDED,)),
        ),
    )
