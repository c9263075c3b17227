"""The gated linear unit, y = s(a) b, s the logistic; torch's `glu` has the gate in the second half of its input."""

from __future__ import annotations

from typing import Any

from actbench.activations._at_once import has
from actbench.activations._gates import logistic_of, of_gate, of_quotient, quotients
from actbench.activations.logistic import SATURATES
from actbench.formula import Formulas, Piecewise, Strategy, activation

UNDERFLOWS, _ = of_quotient(logistic_of)


@activation
def glu(m: Any) -> Formulas:
    """b / (1 + exp(-a))

    Y. Dauphin, A. Fan, M. Auli and D. Grangier, "Language Modeling with Gated Convolutional Networks", 2016.
    """
    quotient, quotient_of_arrays = quotients(m)

    def forward(a, b):
        e = m.exp(-abs(a))
        return (e if a < 0.0 else 1.0) / (1.0 + e) * b

    def forward_array(a, b):
        e = m.exp(-abs(a))  # at most 1, so that neither side overflows
        return m.where(a < 0.0, e, 1.0) / (1.0 + e) * b

    def forward_at_once(a, b):
        return m.logistic(a) * b

    def recompute(a, b):
        e = m.exp(-abs(a))
        return b * (e / (1.0 + e * (2.0 + e))), (e if a < 0.0 else 1.0) / (1.0 + e)

    def recompute_array(a, b):
        e = m.exp(-abs(a))
        return b * (e / (1.0 + e * (2.0 + e))), m.where(a < 0.0, e, 1.0) / (1.0 + e)

    def cached(y, b):
        s = quotient(y, b)
        return y * (1.0 - s), s

    def cached_array(y, b):
        s = quotient_of_arrays(y, b)
        return y * (1.0 - s), s

    def save(a, b):
        e = m.exp(-abs(a))
        s = (e if a < 0.0 else 1.0) / (1.0 + e)
        return s * b, s

    def save_array(a, b):
        e = m.exp(-abs(a))
        s = m.where(a < 0.0, e, 1.0) / (1.0 + e)
        return s * b, s

    def save_at_once(a, b):
        s = m.logistic(a)
        return s * b, s

    def intermediate(b, s):
        return b * (s * (1.0 - s)), s

    saturates = of_gate(SATURATES)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_at_once if has(m, "logistic") else forward_array),
        range=(0.0, 1.0),
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Strategy(Piecewise(scalar=cached, array=cached_array), weaknesses=(*saturates, UNDERFLOWS)),
        intermediate=Strategy(
            intermediate,
            save=Piecewise(scalar=save, array=save_at_once if has(m, "logistic") else save_array),
            weaknesses=saturates,
        ),
    )
