"""The linear unit gated by GELU by tanh, y = a s(2u) b, u = sqrt(2/pi) (a + 0.044715 a^3), s the logistic."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations import gelu_tanh
from actbench.activations._gates import logistic_of, of_gate, of_quotient, quotients
from actbench.activations.gelu_tanh import CUBIC, SLOPE
from actbench.formula import Formulas, Piecewise, Strategy, activation

CROSSES, ROUNDED, MULTIPLIED = of_gate(gelu_tanh.CROSSES, gelu_tanh.ROUNDED, gelu_tanh.MULTIPLIED)
LOST = of_quotient(lambda a: a * logistic_of(SLOPE * a * (1.0 + CUBIC * a * a)))


@activation
def geglu_tanh(m: Any) -> Formulas:
    """a / (1 + exp(-2 sqrt(2 / pi) (a + 0.044715 a^3))) b

    N. Shazeer, "GLU Variants Improve Transformer", 2020.
    """
    cubic = CUBIC
    slope = SLOPE
    quotient, quotient_of_arrays = quotients(m)

    def definition(a, b):
        if abs(a) > 1e9:
            return (a if a > 0.0 else 0.0 * a) * b  # to many thousand digits
        return a / (1.0 + m.exp(-2.0 * m.sqrt(2.0 / m.pi) * (a + cubic * a * a * a))) * b

    def forward(a, b):
        t = min(abs(a), 40.0)  # the exponential is 0 from 20 on, and a^3 may overflow
        e = m.exp(-slope * t * (1.0 + cubic * t * t))
        return (-t * e if a < 0.0 else a) / (1.0 + e) * b

    def forward_array(a, b):
        t = m.where(abs(a) > 40.0, 40.0, abs(a))
        e = m.exp(-slope * t * (1.0 + cubic * t * t))
        return m.where(a < 0.0, -t * e, a) / (1.0 + e) * b

    def recompute(a, b):
        t = min(abs(a), 40.0)
        e = m.exp(-slope * t * (1.0 + cubic * t * t))
        d = 1.0 + e
        steep = t * slope * (1.0 + 3.0 * cubic * t * t) / d
        if a < 0.0:
            return b * (e * (1.0 - steep) / d), -t * e / d
        return b * ((1.0 + e * steep) / d), a / d

    def recompute_array(a, b):
        t = m.where(abs(a) > 40.0, 40.0, abs(a))
        e = m.exp(-slope * t * (1.0 + cubic * t * t))
        d = 1.0 + e
        steep = t * slope * (1.0 + 3.0 * cubic * t * t) / d
        return b * (m.where(a < 0.0, e * (1.0 - steep), 1.0 + e * steep) / d), m.where(a < 0.0, -t * e, a) / d

    def save(a, b):
        t = min(abs(a), 40.0)
        e = m.exp(-slope * t * (1.0 + cubic * t * t))
        s = (e if a < 0.0 else 1.0) / (1.0 + e)
        return max(a, -40.0) * s * b, s

    def save_array(a, b):
        t = m.where(abs(a) > 40.0, 40.0, abs(a))
        e = m.exp(-slope * t * (1.0 + cubic * t * t))
        s = m.where(a < 0.0, e, 1.0) / (1.0 + e)
        return m.where(a < -40.0, -40.0, a) * s * b, s

    def intermediate(a, b, s):
        t = min(max(a, -40.0), 40.0)
        return b * (s * (1.0 + t * (1.0 - s) * slope * (1.0 + 3.0 * cubic * t * t))), max(a, -40.0) * s

    def intermediate_array(a, b, s):
        t = m.where(a > 40.0, 40.0, m.where(a < -40.0, -40.0, a))
        factor = s * (1.0 + t * (1.0 - s) * slope * (1.0 + 3.0 * cubic * t * t))
        return b * factor, m.where(a < -40.0, -40.0, a) * s

    def pair(a, b, y):
        g = quotient(y, b)
        s = g / a if abs(a) > 1e-30 else 0.5
        t = min(max(a, -40.0), 40.0)
        return b * (s * (1.0 + t * (1.0 - s) * slope * (1.0 + 3.0 * cubic * t * t))), g

    def pair_array(a, b, y):
        g = quotient_of_arrays(y, b)
        tiny = abs(a) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, g) / m.where(tiny, 1.0, a)
        t = m.where(a > 40.0, 40.0, m.where(a < -40.0, -40.0, a))
        return b * (s * (1.0 + t * (1.0 - s) * slope * (1.0 + 3.0 * cubic * t * t))), g

    kept = (CROSSES, ROUNDED, MULTIPLIED)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(-0.17004075057125406, inf),
        weaknesses=(ROUNDED,),
        uncached="g(a) = y / b between -0.170 and 0 comes from two different a",
        recompute=Strategy(Piecewise(scalar=recompute, array=recompute_array), weaknesses=(CROSSES, ROUNDED)),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=save, array=save_array),
            weaknesses=kept,
        ),
        pair=Strategy(Piecewise(scalar=pair, array=pair_array), weaknesses=(*kept, *LOST)),
    )
