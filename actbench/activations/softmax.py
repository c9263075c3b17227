"""Softmax along the last axis: what classifiers and attention end in; positive, and 1 in sum.

Its gradient is y (dy - sum(dy y)) / T, T the temperature: from y it takes no exponential at all. From z, the sums of e
and of dy e are of one pass.
"""

from __future__ import annotations

from typing import Any

from actbench.activations._rows import exp_below_1, overflows
from actbench.formula import Formulas, Strategy, activation, magnitude


@activation
def softmax(m: Any, temperature: float = 1.0) -> Formulas:
    """exp(z / T) / sum(exp(z / T)), T the temperature

    J. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990.
    """
    magnitude("temperature", temperature, positive=True)

    exp = exp_below_1(m)

    def tempered(x):
        return x if temperature == 1.0 else x * (1.0 / temperature)

    def exponentials(z):
        return exp(tempered(z - m.max(z)))

    def forward(z):
        e = exponentials(z)
        return e * (1.0 / m.sum(e))

    def of_exponentials(dy, e, total):
        share = 1.0 / total
        return e * tempered(share) * (dy - m.sum(dy * e) * share)

    def textbook(dy, z):
        e = m.exp(tempered(z))
        return of_exponentials(dy, e, m.sum(e))

    def recompute(dy, z):
        e = exponentials(z)
        return of_exponentials(dy, e, m.sum(e))

    def cached(dy, y):
        return tempered(y) * (dy - m.sum(dy * y))

    def save(z):
        top = m.max(z)
        e = exp(tempered(z - top))
        total = m.sum(e)
        return e * (1.0 / total), top, total

    def intermediate(dy, z, top, total):
        return of_exponentials(dy, exp(tempered(z - top)), total)

    return Formulas(
        forward=forward,
        range=(0.0, 1.0),
        textbook=Strategy(textbook, weaknesses=(overflows(temperature),)),
        recompute=recompute,
        cached=cached,
        intermediate=Strategy(intermediate, save=save),
    )
