"""The hyperbolic tangent, y = tanh z, with values in (-1, 1) and g' = 1 - y^2 = sech^2 z."""

from __future__ import annotations

from math import log
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Strategy, Weakness, activation

DIFFERENCE_OF_SQUARES = Weakness(
    Flaw.CANCELS,
    "cosh^2 - sinh^2 is 1, left over from two squares that grow as e^2|z|",
    lambda z, _: z != 0,
)
SQUARE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "cosh^2 overflows, and for z twice as far out cosh itself",
    lambda z, fmt: abs(z) > (log(fmt.max) / 2 + log(2)) * (1 - 2 * fmt.eps),  # libraries round what they exponentiate
)
SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - |y| loses 2.89 bits per unit of |z|, until |y| rounds to 1",
    lambda z, _: z != 0,
)

CUBE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "cosh^3 overflows, and for z three times as far out cosh itself",
    lambda z, fmt: abs(z) > (log(fmt.max) / 3 + log(2)) * (1 - 2 * fmt.eps),
)
CUBED = Weakness(
    Flaw.AMPLIFIES,
    "the error of cosh counts three times in its cube; some libraries round what they exponentiate for it",
    lambda z, _: abs(z),
)


@activation
def tanh(m: Any) -> Formulas:
    """tanh(z)

    Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, "Efficient BackProp", 1998: recommended for its zero mean.
    """

    def forward(z):
        return m.tanh(z)

    def textbook(z):
        c = m.cosh(z)
        s = m.sinh(z)
        return (c * c - s * s) / (c * c)

    def recompute(z):
        e = m.exp(-2.0 * abs(z))  # g' is even: the side that does not overflow serves both
        return 4.0 * e / (1.0 + e * (2.0 + e))  # (1 + e)^2, in which a rounded 1 + e would count twice

    def recompute_at_once(z):
        return m.tanh_derivative(z)

    def cached(y):
        return (1.0 - y) * (1.0 + y)  # 1 - y * y would round y * y first and lose more

    def cached_at_once(y):
        return m.one_minus_square(y)

    def small_side(z):
        e = m.exp(-2.0 * abs(z))
        c = 2.0 * (e - e * e / (1.0 + e))  # 1 - |y| = 2 e / (1 + e), in which a rounded 1 + e would count in full
        return m.tanh(z), c  # 1 - c would be inaccurate near z = 0, where y is small

    def complement(c):
        return c * (2.0 - c)

    def second_textbook(z):
        c = m.cosh(z)
        return -2.0 * m.sinh(z) / (c * c * c)

    def second(z):
        e = m.exp(-2.0 * abs(z))
        return -2.0 * m.tanh(z) * (4.0 * e / (1.0 + e * (2.0 + e)))

    def second_cached(y):
        return -2.0 * y * ((1.0 - y) * (1.0 + y))

    return Formulas(
        forward=forward,
        range=(-1.0, 1.0),
        textbook=Strategy(
            textbook,
            weaknesses=(DIFFERENCE_OF_SQUARES, SQUARE_OVERFLOWS),
            second=Strategy(second_textbook, weaknesses=(CUBE_OVERFLOWS, CUBED)),
        ),
        recompute=Strategy(recompute_at_once if has(m, "tanh_derivative") else recompute, second=second),
        cached=Strategy(
            cached_at_once if has(m, "one_minus_square") else cached,
            weaknesses=(SATURATES,),
            second=Strategy(second_cached, weaknesses=(SATURATES,)),
        ),
        complement=Strategy(complement, save=small_side),
    )
