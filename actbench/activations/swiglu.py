"""The linear unit gated by swish, y = a s(beta a) b, s the logistic; the feed-forward layers of LLaMA have it."""

from __future__ import annotations

from dataclasses import replace
from math import frexp, inf
from typing import Any

from actbench.activations import silu
from actbench.activations._at_once import has
from actbench.activations._gates import logistic_of, of_gate, of_quotient, quotients
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, magnitude


@activation
def swiglu(m: Any, beta: float = 1.0) -> Formulas:
    """a / (1 + exp(-beta a)) b

    N. Shazeer, "GLU Variants Improve Transformer", 2020.
    """
    magnitude("beta", beta, positive=True)
    far = 800.0 / beta  # e^-800 is 0, and the infinite times 0 is not
    quotient, quotient_of_arrays = quotients(m)

    def forward(a, b):
        e = m.exp(-abs(beta * a))
        return (max(a, -far) * e if a < 0.0 else a) / (1.0 + e) * b

    def forward_array(a, b):
        e = m.exp(-abs(beta * a))
        return m.where(a < 0.0, m.where(a < -far, -far, a) * e, a) / (1.0 + e) * b

    def forward_at_once(a, b):
        return m.where(a < -far, -far, a) * m.logistic(beta * a) * b

    def recompute(a, b):
        x = min(abs(beta * a), 800.0)
        e = m.exp(-x)
        d = 1.0 + e
        if a < 0.0:
            return b * (e * ((1.0 - x) + e) / (d * d)), max(a, -far) * e / d
        return b * ((1.0 + e * (1.0 + x)) / (d * d)), a / d

    def recompute_array(a, b):
        x = abs(beta * a)
        x = m.where(x > 800.0, 800.0, x)
        e = m.exp(-x)
        d = 1.0 + e
        slope = m.where(a < 0.0, e * ((1.0 - x) + e), 1.0 + e * (1.0 + x)) / (d * d)
        return b * slope, m.where(a < 0.0, m.where(a < -far, -far, a) * e, a) / d

    def save(a, b):
        e = m.exp(-abs(beta * a))
        s = (e if a < 0.0 else 1.0) / (1.0 + e)
        return max(a, -far) * s * b, s

    def save_array(a, b):
        e = m.exp(-abs(beta * a))
        s = m.where(a < 0.0, e, 1.0) / (1.0 + e)
        return m.where(a < -far, -far, a) * s * b, s

    def save_at_once(a, b):
        s = m.logistic(beta * a)
        return m.where(a < -far, -far, a) * s * b, s

    def intermediate(a, b, s):
        x = beta * a if abs(a) <= far else 0.0
        return b * (s * (1.0 + x * (1.0 - s))), max(a, -far) * s

    def intermediate_array(a, b, s):
        x = m.where(abs(a) > far, 0.0, beta * a)
        return b * (s * (1.0 + x * (1.0 - s))), m.where(a < -far, -far, a) * s

    def pair(a, b, y):
        g = quotient(y, b)
        s = g / a if abs(a) > 1e-30 else 0.5
        x = beta * a if abs(a) <= far else 0.0
        return b * (s * (1.0 + x * (1.0 - s))), g

    def pair_array(a, b, y):
        g = quotient_of_arrays(y, b)
        tiny = abs(a) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, g) / m.where(tiny, 1.0, a)
        x = m.where(abs(a) > far, 0.0, beta * a)
        return b * (s * (1.0 + x * (1.0 - s))), g

    def gate_of(a: Any) -> Any:
        return a * logistic_of(beta * a)

    def scaled(*weaknesses: Weakness) -> tuple[Weakness, ...]:
        """Return those of silu, at beta a."""
        return tuple(replace(one, where=lambda a, fmt, one=one: one.where(beta * a, fmt)) for one in weaknesses)

    crosses, multiplied, few_digits = of_gate(*scaled(silu.CROSSES, silu.MULTIPLIED, silu.FEW_DIGITS))
    rounded = (
        ()
        if frexp(beta)[0] == 0.5
        else (
            Weakness(
                Flaw.AMPLIFIES,
                "beta a is rounded, and the exponential multiplies the error by beta a",
                lambda a, _, __: -beta * a * (a < 0),
            ),
        )
    )
    kept = (crosses, multiplied, few_digits, *rounded)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_at_once if has(m, "logistic") else forward_array),
        range=(-0.27846454276107380 / beta, inf),
        uncached="g(a) = y / b between -0.278 / beta and 0 comes from two different a",
        weaknesses=(few_digits, *rounded),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array), weaknesses=(crosses, few_digits, *rounded)
        ),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=save, array=save_at_once if has(m, "logistic") else save_array),
            weaknesses=kept,
        ),
        pair=Strategy(Piecewise(scalar=pair, array=pair_array), weaknesses=(*kept, *of_quotient(gate_of))),
    )
