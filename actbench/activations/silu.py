"""The sigmoid linear unit or swish, y = z s(z), s the logistic; g' = s (1 + z (1 - s)) changes sign at -1.278."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.activations._sixteen_bits import QUOTIENT_ROUNDED
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits

CROSSES = Weakness(
    Flaw.CANCELS,
    "1 + z (1 - s) is the difference of two numbers near z = -1.278, where it is 0",
    lambda z, _: abs(z + 1.278) < 0.25,
)
MULTIPLIED = Weakness(
    Flaw.AMPLIFIES,
    "what rounding has left of 1 - s is multiplied by z",
    lambda z, _: abs(z),
)
FEW_DIGITS = few_digits(exponent=lambda z: z, factor=abs)

SECOND_CROSSES = Weakness(
    Flaw.CANCELS,
    "g'' is the difference of two numbers near |z| = 2.399, where it is 0",
    lambda z, _: abs(abs(z) - 2.3994) < 0.5,
)
SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - s loses 1.44 bits per unit of z, until s rounds to 1",
    lambda z, _: z > 0,
)
SECOND_FEW_DIGITS = few_digits(exponent=lambda z: -abs(z), factor=lambda z: 2.0 * abs(z))
OF_KEPT_SECOND = (SECOND_CROSSES, SATURATES, MULTIPLIED, SECOND_FEW_DIGITS)


def _second(m: Any) -> tuple[Piecewise, ...]:
    """Return the forms of g'' from z, from z and s, and from z and y."""

    def second(z):
        a = min(abs(z), 800.0) if abs(z) >= 0.0 else z
        e = m.exp(-a)
        d = 1.0 + e
        return e * (2.0 * d - a * (1.0 - e)) / (d * d * d)

    def second_array(z):
        a = m.where(abs(z) > 800.0, 800.0, abs(z))
        e = m.exp(-a)
        d = 1.0 + e
        return e * (2.0 * d - a * (1.0 - e)) / (d * d * d)

    def second_intermediate(z, s):
        t = 0.0 if abs(z) > 800.0 else z
        return s * (1.0 - s) * (2.0 + t * (1.0 - 2.0 * s))

    def second_intermediate_array(z, s):
        t = m.where(abs(z) > 800.0, 0.0, z)
        return s * (1.0 - s) * (2.0 + t * (1.0 - 2.0 * s))

    def second_pair(z, y):
        if abs(z) > 800.0:
            return 0.0
        s = y / z if abs(z) > 1e-30 else 0.5
        return (1.0 - s) * (2.0 * s + y * (1.0 - 2.0 * s))

    def second_pair_array(z, y):
        far = abs(z) > 800.0
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, m.where(far, 1.0, y) / m.where(far | tiny, 1.0, z))
        return (1.0 - s) * (2.0 * s + m.where(far, 0.0, y) * (1.0 - 2.0 * s))

    return (
        Piecewise(scalar=second, array=second_array),
        Piecewise(scalar=second_intermediate, array=second_intermediate_array),
        Piecewise(scalar=second_pair, array=second_pair_array),
    )


@activation
def silu(m: Any) -> Formulas:
    """z / (1 + exp(-z))

    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
    Reinforcement Learning", 2017.
    """

    def forward(z):
        if z < 0.0:
            z = max(z, -800.0)  # e^z is 0 from there on, and -inf times 0 is not
            e = m.exp(z)
            return z * e / (1.0 + e)
        return z / (1.0 + m.exp(-z))

    def forward_array(z):
        e = m.exp(-abs(z))
        return m.where(z < 0.0, m.where(z < -800.0, -800.0, z) * e, z) / (1.0 + e)

    def forward_at_once(z):
        return m.where(z < -800.0, -800.0, z) * m.logistic(z)

    def recompute(z):
        a = abs(z)
        if a > 800.0:
            a = 800.0
        e = m.exp(-a)
        d = 1.0 + e
        if z < 0.0:
            return e * ((1.0 - a) + e) / (d * d)
        return (1.0 + e * (1.0 + a)) / (d * d)

    def recompute_array(z):
        a = abs(z)
        a = m.where(a > 800.0, 800.0, a)
        e = m.exp(-a)
        d = 1.0 + e
        return m.where(z < 0.0, e * ((1.0 - a) + e), 1.0 + e * (1.0 + a)) / (d * d)

    def recompute_at_once(z):
        return m.silu_derivative(z)

    def gate(z):
        if z < 0.0:
            z = max(z, -800.0)
            e = m.exp(z)
            s = e / (1.0 + e)
            return z * s, s
        s = 1.0 / (1.0 + m.exp(-z))
        return z * s, s

    def gate_array(z):
        e = m.exp(-abs(z))
        s = m.where(z < 0.0, e, 1.0) / (1.0 + e)
        return m.where(z < -800.0, -800.0, z) * s, s

    def gate_at_once(z):
        s = m.logistic(z)
        return m.where(z < -800.0, -800.0, z) * s, s

    def intermediate(z, s):
        if abs(z) > 800.0:
            return s
        return s * (1.0 + z * (1.0 - s))

    def intermediate_array(z, s):
        return s * (1.0 + m.where(abs(z) > 800.0, 0.0, z) * (1.0 - s))

    def pair(z, y):
        if abs(z) > 800.0:
            return 1.0 if z > 0.0 else 0.0
        s = y / z if abs(z) > 1e-30 else 0.5
        return s + y * (1.0 - s)

    def pair_array(z, y):
        far = abs(z) > 800.0
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, m.where(far, 1.0, y) / m.where(far | tiny, 1.0, z))
        return m.where(z < -800.0, 0.0, s + m.where(far, 0.0, y) * (1.0 - s))

    of_z, of_s, of_y = _second(m)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_at_once if has(m, "logistic") else forward_array),
        weaknesses=(FEW_DIGITS,),
        range=(-0.27846454276107380, inf),
        uncached="y between -0.278 and 0 comes from two different z",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "silu_derivative") else recompute_array),
            weaknesses=(CROSSES, FEW_DIGITS),
            second=Strategy(of_z, weaknesses=(SECOND_CROSSES, SECOND_FEW_DIGITS)),
        ),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=gate, array=gate_at_once if has(m, "logistic") else gate_array),
            weaknesses=(CROSSES, MULTIPLIED, FEW_DIGITS),
            second=Strategy(of_s, weaknesses=OF_KEPT_SECOND),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array),
            weaknesses=(CROSSES, MULTIPLIED, FEW_DIGITS, QUOTIENT_ROUNDED),
            second=Strategy(of_y, weaknesses=(*OF_KEPT_SECOND, QUOTIENT_ROUNDED)),
        ),
    )
