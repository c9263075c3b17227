"""The logistic function, y = 1 / (1 + e^-z), with values in (0, 1) and g' = y(1 - y)."""

from __future__ import annotations

from math import log
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

SQUARE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "(1 + e^-z)^2 overflows, and for z twice as low e^-z itself",
    lambda z, fmt: z < -log(fmt.max) / 2,
)
SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - y loses 1.44 bits per unit of z, until y rounds to 1",
    lambda z, _: z > 0,
)

CUBE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "(1 + e^-z)^3 overflows, and for z three times as low e^-z itself",
    lambda z, fmt: z < -log(0.99 * float(fmt.max) ** (1.0 / 3.0) - 1.0),
)
CANCELS_AT_0 = Weakness(
    Flaw.CANCELS,
    "g'' is 0 at z = 0, where 1 - 2 y has what rounding y has left of it",
    lambda z, _: abs(z) < 1,
)


@activation
def logistic(m: Any) -> Formulas:
    """1 / (1 + exp(-z))

    P.-F. Verhulst, "Recherches mathématiques sur la loi d'accroissement de la population", 1845.
    """

    def forward(z):
        if z < 0.0:
            e = m.exp(z)
            return e / (1.0 + e)
        return 1.0 / (1.0 + m.exp(-z))

    def forward_array(z):
        e = m.exp(-abs(z))  # at most 1, so that neither side overflows
        return m.where(z < 0.0, e, 1.0) / (1.0 + e)

    def forward_at_once(z):
        return m.logistic(z)

    def textbook(z):
        e = m.exp(-z)
        d = 1.0 + e
        return e / (d * d)

    def recompute(z):
        e = m.exp(-abs(z))  # g' is even: the side that does not overflow serves both
        return e / (1.0 + e * (2.0 + e))  # (1 + e)^2, in which a rounded 1 + e would count twice

    def recompute_at_once(z):
        return m.logistic_derivative(z)

    def cached(y):
        return y * (1.0 - y)

    def cached_at_once(y):
        return m.times_complement(y)

    def small_side(z):
        e = m.exp(-abs(z))
        c = e - e * e / (1.0 + e)  # min(y, 1 - y) = e / (1 + e), in which a rounded 1 + e would count in full
        if z < 0.0:
            return c, c
        return 1.0 - c, c

    def small_side_array(z):
        e = m.exp(-abs(z))
        c = e - e * e / (1.0 + e)
        return m.where(z < 0.0, c, 1.0 - c), c

    def complement(c):
        return c * (1.0 - c)

    def second_textbook(z):
        e = m.exp(-z)
        d = 1.0 + e
        return e * (e - 1.0) / (d * d * d)

    def second(z):
        e = m.exp(-abs(z))
        return -m.tanh(0.5 * z) * (e / (1.0 + e * (2.0 + e)))  # 1 - 2 y is -tanh(z / 2), which does not cancel

    def second_cached(y):
        return y * (1.0 - y) * (1.0 - 2.0 * y)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_at_once if has(m, "logistic") else forward_array),
        range=(0.0, 1.0),
        textbook=Strategy(
            textbook,
            weaknesses=(SQUARE_OVERFLOWS,),
            second=Strategy(second_textbook, weaknesses=(CUBE_OVERFLOWS, CANCELS_AT_0)),
        ),
        recompute=Strategy(recompute_at_once if has(m, "logistic_derivative") else recompute, second=second),
        cached=Strategy(
            cached_at_once if has(m, "times_complement") else cached,
            weaknesses=(SATURATES,),
            second=Strategy(second_cached, weaknesses=(SATURATES, CANCELS_AT_0)),
        ),
        complement=Strategy(complement, save=Piecewise(scalar=small_side, array=small_side_array)),
    )
