"""The logarithm of the sum of a row's exponentials: a smooth maximum, one number a row, whose gradient is softmax.

Its gradient is exp(z - y) dy: from z and y, one exponential an element, without the row's maximum and sum. But the
rounding of y, half a unit in the last place, is a relative error of the gradient: a large y has few digits behind the
point. The logarithm is log1p of the sum without the largest, so that a y near 0 has all of its digits.
"""

from __future__ import annotations

from math import inf, log
from typing import Any

from actbench.activations._rows import exp_below_1, overflows
from actbench.formula import Flaw, Formulas, Strategy, Weakness, activation


@activation
def logsumexp(m: Any) -> Formulas:
    """log(sum(exp(z)))

    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions", 2021.
    """
    exp = exp_below_1(m)

    def sums(z, top):
        e = exp(z - top)
        return m.sum(m.where(z < top, 0.0, e)), m.sum(m.where(z < top, e, 0.0))

    def forward(z):
        top = m.max(z)
        tops, rest = sums(z, top)
        return top + m.log1p(rest + (tops - 1.0))

    def textbook(dy, z):
        e = m.exp(z)
        return e * (dy * (1.0 / m.sum(e)))

    def recompute(dy, z):
        e = exp(z - m.max(z))
        return e * (dy * (1.0 / m.sum(e)))

    def save(z):
        top = m.max(z)
        tops, rest = sums(z, top)
        return top + m.log1p(rest + (tops - 1.0)), top, tops + rest

    def intermediate(dy, z, top, total):
        return exp(z - top) * (dy * (1.0 / total))

    def pair(dy, z, y):
        return m.exp(z - y) * dy

    def definition(z):
        top = m.max(z)
        return top + m.log(m.sum(m.exp(z - top)))

    return Formulas(
        forward=forward,
        definition=definition,
        range=(-inf, inf),
        textbook=Strategy(textbook, weaknesses=(overflows(),)),
        recompute=recompute,
        intermediate=Strategy(intermediate, save=save),
        pair=Strategy(pair, weaknesses=(Weakness(Flaw.AMPLIFIES, "y has few digits behind the point", size),)),
        uncached="all z of a row have one y",
    )


def size(z: Any, fmt: Any) -> Any:
    """Return the largest of what y is the sum of: as exp multiplies its relative error, units of it are of exp(z - y).

    y is from max(z) to max(z) + log(columns), and where it cancels it is rounded as they are.
    """
    del fmt
    return abs(z.max(axis=-1, keepdims=True)) + log(z.shape[-1])
