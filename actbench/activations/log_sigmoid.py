"""The logarithm of the logistic function, y = -log(1 + e^-z), with values in (-inf, 0) and g' = 1 - e^y."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

Y_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "y is rounded to the digits of z, and the exponential multiplies the error by z",
    lambda z, _: -z * (z < 0),
)


@activation
def log_sigmoid(m: Any) -> Formulas:
    """-log(1 + exp(-z))

    D. R. Cox, "The Regression Analysis of Binary Sequences", 1958: the log-likelihood of logistic regression.
    """

    def forward(z):
        if z < 0.0:
            return z - m.log1p(m.exp(z))
        return -m.log1p(m.exp(-z))

    def forward_array(z):
        return m.where(z < 0.0, z, 0.0) - m.log1p(m.exp(-abs(z)))

    def recompute(z):
        if z < 0.0:
            return 1.0 / (1.0 + m.exp(z))
        e = m.exp(-z)
        return e / (1.0 + e)

    def recompute_array(z):
        e = m.exp(-abs(z))
        return m.where(z < 0.0, 1.0, e) / (1.0 + e)

    def recompute_at_once(z):
        return m.logistic(-z)

    def cached(y):
        return -m.expm1(y)  # the output suffices, but takes another exponential

    def exponential(z):
        e = m.exp(-abs(z))
        if z < 0.0:
            return z - m.log1p(e), e
        return -m.log1p(e), e

    def exponential_array(z):
        e = m.exp(-abs(z))
        return m.where(z < 0.0, z, 0.0) - m.log1p(e), e

    def intermediate(z, e):  # as PyTorch does on the processor
        if z < 0.0:
            return 1.0 / (1.0 + e)
        return e / (1.0 + e)

    def intermediate_array(z, e):
        return m.where(z < 0.0, 1.0, e) / (1.0 + e)

    def second(z):
        e = m.exp(-abs(z))
        return -e / (1.0 + e * (2.0 + e))

    def second_cached(y):
        return m.exp(y) * m.expm1(y)

    def second_intermediate(z, e):  # noqa: ARG001  # the parameters say what is kept: g'' is even
        return -e / (1.0 + e * (2.0 + e))

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-inf, 0.0),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "logistic") else recompute_array),
            second=second,
        ),
        cached=Strategy(cached, second=Strategy(second_cached, weaknesses=(Y_ROUNDED,))),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=exponential, array=exponential_array),
            second=second_intermediate,
        ),
    )
