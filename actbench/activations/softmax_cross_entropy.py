"""The loss of classifiers: minus the logarithm of softmax in the column of the right class, one number a row.

Its gradient is p - 1 in that column and p elsewhere, p being softmax, times dy of the row. Near the end of training p
is almost 1 there, and p - 1 has few digits: here it is minus the sum of the others, `rest`. What an exponential of
z - max(z) loses as the difference is rounded, which is far down much more than a unit in its last place, is added.
"""

from __future__ import annotations

from math import e, inf
from typing import Any

from actbench.activations._rows import exp_below_1, overflows
from actbench.formula import Flaw, Formulas, Strategy, Weakness, activation

VANISHES = -1e4
"""The difference below which an exponential is 0 in every format."""


@activation
def softmax_cross_entropy(m: Any) -> Formulas:
    """log(sum(exp(z))) - z[target]

    J. Bridle, "Training Stochastic Model Recognition Algorithms as Networks can Lead to Maximum Mutual Information
    Estimation of Parameters", 1990.
    """
    exp = exp_below_1(m)

    def exponentials(z, top):
        less = z - top
        back = less - z
        lost = (z - (less - back)) - (top + back)
        rounded = exp(less)
        return rounded + rounded * m.where(less > VANISHES, lost, 0.0)

    def sum_of_others(e, target):
        return m.sum(m.replace(e, target, 0.0))

    def loss(z, target, top, e, rest):
        return m.log1p(rest + (m.pick(e, target) - 1.0)) + (top - m.pick(z, target))

    def gradient(dy, e, target, rest):
        return m.replace(e, target, -rest) * (dy * (1.0 / (rest + m.pick(e, target))))

    def forward(z, target):
        top = m.max(z)
        e = exponentials(z, top)
        return loss(z, target, top, e, sum_of_others(e, target))

    def textbook(dy, z, target):
        e = m.exp(z)
        p = e * (1.0 / m.sum(e))
        return m.replace(p, target, m.pick(p, target) - 1.0) * dy

    def recompute(dy, z, target):
        e = exponentials(z, m.max(z))
        return gradient(dy, e, target, sum_of_others(e, target))

    def save_p(z, target):
        top = m.max(z)
        e = exponentials(z, top)
        rest = sum_of_others(e, target)
        return loss(z, target, top, e, rest), e * (1.0 / (rest + m.pick(e, target)))

    def cached(dy, target, p):
        return m.replace(p, target, -sum_of_others(p, target)) * dy

    def save(z, target):
        top = m.max(z)
        e = exponentials(z, top)
        rest = sum_of_others(e, target)
        return loss(z, target, top, e, rest), top, rest

    def intermediate(dy, z, target, top, rest):
        return gradient(dy, exponentials(z, top), target, rest)

    def definition(z, target):
        return m.log1p(m.sum(m.replace(m.exp(z - m.pick(z, target)), target, 0.0)))

    return Formulas(
        forward=forward,
        definition=definition,
        range=(0.0, inf),
        textbook=Strategy(textbook, weaknesses=(overflows(), Weakness(Flaw.CANCELS, "p - 1 cancels", near_1))),
        recompute=recompute,
        cached=Strategy(cached, save=save_p),
        intermediate=Strategy(intermediate, save=save),
        uncached="y is one number a row: what `cached` keeps is p",
    )


def near_1(z: Any, target: Any, fmt: Any) -> Any:
    """Return where p of the target is above a half."""
    del fmt
    exponentials = e ** (z - z.max(axis=-1, keepdims=True))
    return 2.0 * exponentials[range(len(z)), target[:, 0]][:, None] > exponentials.sum(axis=-1, keepdims=True)
