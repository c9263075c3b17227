"""The softplus, y = log(1 + e^(beta z)) / beta, values in (0, inf); g' is the logistic function, 1 - e^(-beta y)."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits, magnitude

Y_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "y is rounded to the digits of z, and the exponential multiplies the error by z",
    lambda z, _: z * (z > 0),
)


@activation
def softplus(m: Any, beta: float = 1.0) -> Formulas:
    """log(1 + exp(beta z)) / beta

    C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia, "Incorporating Second-Order Functional Knowledge for
    Better Option Pricing", 2001.
    """
    return _plain(m) if beta == 1.0 else _scaled(m, magnitude("beta", beta, positive=True))


def _plain(m: Any) -> Formulas:
    def forward(z):
        if z > 0.0:
            return z + m.log1p(m.exp(-z))
        return m.log1p(m.exp(z))

    def forward_array(z):
        return m.where(z > 0.0, z, 0.0) + m.log1p(m.exp(-abs(z)))

    def recompute(z):
        if z < 0.0:
            e = m.exp(z)
            return e / (1.0 + e)
        return 1.0 / (1.0 + m.exp(-z))

    def recompute_array(z):
        e = m.exp(-abs(z))
        return m.where(z < 0.0, e, 1.0) / (1.0 + e)

    def recompute_at_once(z):
        return m.logistic(z)

    def cached(y):
        return -m.expm1(-y)  # the output suffices, but takes another exponential

    def second(z):
        e = m.exp(-abs(z))
        return e / (1.0 + e * (2.0 + e))

    def second_cached(y):
        return m.exp(-y) * -m.expm1(-y)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, inf),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "logistic") else recompute_array),
            second=second,
        ),
        cached=Strategy(cached, second=Strategy(second_cached, weaknesses=(Y_ROUNDED,))),
    )


def _scaled(m: Any, beta: float) -> Formulas:
    """Return the same of beta z, divided by beta: the two multiplications are not free."""
    rounded = Weakness(
        Flaw.AMPLIFIES,
        "beta z is rounded, and the exponential multiplies the error by it",
        lambda z, _: beta * abs(z) * (z < 0),
    )
    subnormal = few_digits(exponent=lambda z: beta * z, factor=lambda _: 1.0 + 1.0 / beta)
    twice_rounded = Weakness(
        Flaw.AMPLIFIES,
        "beta z, or beta y, is rounded, and the exponential multiplies the error by it",
        lambda z, _: 2.0 * beta * abs(z),
    )
    second_subnormal = few_digits(exponent=lambda z: -beta * abs(z), factor=lambda _: 1.0 + beta)
    per_beta = 1.0 / beta

    def definition(z):
        if z > 0.0:
            return z + m.log1p(m.exp(-beta * z)) / beta
        return m.log1p(m.exp(beta * z)) / beta

    def forward(z):
        if z > 0.0:
            return z + per_beta * m.log1p(m.exp(-beta * z))
        return per_beta * m.log1p(m.exp(beta * z))

    def forward_array(z):
        return m.where(z > 0.0, z, 0.0) + per_beta * m.log1p(m.exp(-beta * abs(z)))

    def recompute(z):
        if z < 0.0:
            e = m.exp(beta * z)
            return e / (1.0 + e)
        return 1.0 / (1.0 + m.exp(-beta * z))

    def recompute_array(z):
        e = m.exp(-beta * abs(z))
        return m.where(z < 0.0, e, 1.0) / (1.0 + e)

    def cached(y):
        return -m.expm1(-beta * y)

    def second(z):
        e = m.exp(-beta * abs(z))
        return beta * (e / (1.0 + e * (2.0 + e)))

    def second_cached(y):
        return beta * (m.exp(-beta * y) * -m.expm1(-beta * y))

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(0.0, inf),
        weaknesses=(rounded, subnormal),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            weaknesses=(rounded, subnormal),
            second=Strategy(second, weaknesses=(twice_rounded, second_subnormal)),
        ),
        cached=Strategy(
            cached,
            weaknesses=(rounded, subnormal),
            second=Strategy(second_cached, weaknesses=(twice_rounded, second_subnormal, subnormal)),
        ),
    )
