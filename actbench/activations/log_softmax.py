"""The logarithm of softmax along the last axis, whose mean at the targets is the loss of classifiers."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._rows import exp_below_1, overflows
from actbench.formula import Formulas, Strategy, activation


@activation
def log_softmax(m: Any) -> Formulas:
    """z - log(sum(exp(z)))

    J. Bridle, "Training Stochastic Model Recognition Algorithms as Networks can Lead to Maximum Mutual Information
    Estimation of Parameters", 1990.
    """
    exp = exp_below_1(m)

    def forward(z):
        shifted = z - m.max(z)
        return shifted - m.log(m.sum(exp(shifted)))

    def of_exponentials(dy, e, total):
        return dy - e * (m.sum(dy) * (1.0 / total))

    def textbook(dy, z):
        e = m.exp(z)
        return of_exponentials(dy, e, m.sum(e))

    def recompute(dy, z):
        e = exp(z - m.max(z))
        return of_exponentials(dy, e, m.sum(e))

    def cached(dy, y):
        return dy - exp(y) * m.sum(dy)

    def save(z):
        top = m.max(z)
        shifted = z - top
        total = m.sum(exp(shifted))
        return shifted - m.log(total), top, total

    def intermediate(dy, z, top, total):
        return of_exponentials(dy, exp(z - top), total)

    return Formulas(
        forward=forward,
        range=(-inf, 0.0),
        textbook=Strategy(textbook, weaknesses=(overflows(),)),
        recompute=recompute,
        cached=cached,
        intermediate=Strategy(intermediate, save=save),
    )
