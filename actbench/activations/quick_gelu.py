"""The quick GELU, y = z s(1.702 z), s the logistic; g' = s (1 + 1.702 z (1 - s)) changes sign at -0.751."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.activations._sixteen_bits import QUOTIENT_ROUNDED
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits

STEEPNESS = 1.702
"""With which the logistic is nearest to the normal distribution function, to 0.01."""

CROSSES = Weakness(
    Flaw.CANCELS,
    "1 + a (1 - s), a = 1.702 z, is the difference of two numbers near z = -0.751, where it is 0",
    lambda z, _: abs(z + 0.751) < 0.15,
)
ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "1.702 z is rounded, and the exponential multiplies the error by it",
    lambda z, _: STEEPNESS * abs(z) * (z < 0),
)
MULTIPLIED = Weakness(
    Flaw.AMPLIFIES,
    "what rounding has left of 1 - s is multiplied by 1.702 z",
    lambda z, _: 2.0 * STEEPNESS * abs(z),
)
FEW_DIGITS = few_digits(exponent=lambda z: STEEPNESS * z, factor=lambda z: 2.0 * STEEPNESS * abs(z))

SECOND_CROSSES = Weakness(
    Flaw.CANCELS,
    "g'' is the difference of two numbers near |z| = 1.410, where it is 0",
    lambda z, _: abs(abs(z) - 1.4098) < 0.4,
)
SECOND_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "1.702 z is rounded, and the exponential multiplies the error by it",
    lambda z, _: STEEPNESS * abs(z),
)
SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - s loses 2.46 bits per unit of z, until s rounds to 1",
    lambda z, _: z > 0,
)
SECOND_FEW_DIGITS = few_digits(exponent=lambda z: -STEEPNESS * abs(z), factor=lambda z: 4.0 * STEEPNESS * abs(z))
OF_KEPT_SECOND = (SECOND_CROSSES, SATURATES, SECOND_ROUNDED, MULTIPLIED, SECOND_FEW_DIGITS)


def _second(m: Any) -> tuple[Piecewise, ...]:
    """Return the forms of g'' from z, from z and s, and from z and y."""
    steepness = STEEPNESS

    def second(z):
        a = min(steepness * abs(z), 1e3) if abs(z) >= 0.0 else z
        e = m.exp(-a)
        d = 1.0 + e
        return steepness * e * (2.0 * d - a * (1.0 - e)) / (d * d * d)

    def second_array(z):
        a = steepness * m.where(abs(z) > 500.0, 500.0, abs(z))
        e = m.exp(-a)
        d = 1.0 + e
        return steepness * e * (2.0 * d - a * (1.0 - e)) / (d * d * d)

    def second_intermediate(z, s):
        t = 0.0 if abs(z) > 500.0 else z
        return steepness * s * (1.0 - s) * (2.0 + steepness * t * (1.0 - 2.0 * s))

    def second_intermediate_array(z, s):
        t = m.where(abs(z) > 500.0, 0.0, z)
        return steepness * s * (1.0 - s) * (2.0 + steepness * t * (1.0 - 2.0 * s))

    def second_pair(z, y):
        if abs(z) > 500.0:
            return 0.0
        s = y / z if abs(z) > 1e-30 else 0.5
        return steepness * (1.0 - s) * (2.0 * s + steepness * y * (1.0 - 2.0 * s))

    def second_pair_array(z, y):
        far = abs(z) > 500.0
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, m.where(far, 1.0, y) / m.where(far | tiny, 1.0, z))
        return steepness * (1.0 - s) * (2.0 * s + steepness * m.where(far, 0.0, y) * (1.0 - 2.0 * s))

    return (
        Piecewise(scalar=second, array=second_array),
        Piecewise(scalar=second_intermediate, array=second_intermediate_array),
        Piecewise(scalar=second_pair, array=second_pair_array),
    )


@activation
def quick_gelu(m: Any) -> Formulas:
    """z / (1 + exp(-1.702 z))

    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", 2016; as the models of A. Radford et al.,
    "Learning Transferable Visual Models From Natural Language Supervision", 2021, have it.
    """
    steepness = STEEPNESS

    def forward(z):
        if z < 0.0:
            z = max(z, -800.0)  # e^z is 0 from there on, and -inf times 0 is not
            e = m.exp(steepness * z)
            return z * e / (1.0 + e)
        return z / (1.0 + m.exp(-steepness * z))

    def forward_array(z):
        e = m.exp(-steepness * abs(z))
        return m.where(z < 0.0, m.where(z < -800.0, -800.0, z) * e, z) / (1.0 + e)

    def forward_at_once(z):
        return m.where(z < -800.0, -800.0, z) * m.logistic(steepness * z)

    def recompute(z):
        a = min(steepness * abs(z), 1e3) if abs(z) >= 0.0 else z
        e = m.exp(-a)
        d = 1.0 + e
        if z < 0.0:
            return e * ((1.0 - a) + e) / (d * d)
        return (1.0 + e * (1.0 + a)) / (d * d)

    def recompute_array(z):
        a = steepness * m.where(abs(z) > 500.0, 500.0, abs(z))
        e = m.exp(-a)
        d = 1.0 + e
        return m.where(z < 0.0, e * ((1.0 - a) + e), 1.0 + e * (1.0 + a)) / (d * d)

    def recompute_at_once(z):
        return m.silu_derivative(steepness * z)

    def gate(z):
        if z < 0.0:
            z = max(z, -800.0)
            e = m.exp(steepness * z)
            s = e / (1.0 + e)
            return z * s, s
        s = 1.0 / (1.0 + m.exp(-steepness * z))
        return z * s, s

    def gate_array(z):
        e = m.exp(-steepness * abs(z))
        s = m.where(z < 0.0, e, 1.0) / (1.0 + e)
        return m.where(z < -800.0, -800.0, z) * s, s

    def gate_at_once(z):
        s = m.logistic(steepness * z)
        return m.where(z < -800.0, -800.0, z) * s, s

    def intermediate(z, s):
        if abs(z) > 500.0:
            return s
        return s * (1.0 + steepness * z * (1.0 - s))

    def intermediate_array(z, s):
        return s * (1.0 + steepness * m.where(abs(z) > 500.0, 0.0, z) * (1.0 - s))

    def pair(z, y):
        if abs(z) > 500.0:
            return 1.0 if z > 0.0 else 0.0
        s = y / z if abs(z) > 1e-30 else 0.5
        return s + steepness * y * (1.0 - s)

    def pair_array(z, y):
        far = abs(z) > 500.0
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, m.where(far, 1.0, y) / m.where(far | tiny, 1.0, z))
        return m.where(z < -500.0, 0.0, s + steepness * m.where(far, 0.0, y) * (1.0 - s))

    of_z, of_s, of_y = _second(m)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_at_once if has(m, "logistic") else forward_array),
        weaknesses=(ROUNDED, FEW_DIGITS),
        range=(-0.1636101896363536, inf),
        uncached="y between -0.164 and 0 comes from two different z",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "silu_derivative") else recompute_array),
            weaknesses=(CROSSES, ROUNDED, FEW_DIGITS),
            second=Strategy(
                of_z,
                weaknesses=(SECOND_CROSSES, SECOND_ROUNDED, SECOND_FEW_DIGITS),
            ),
        ),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=gate, array=gate_at_once if has(m, "logistic") else gate_array),
            weaknesses=(CROSSES, ROUNDED, MULTIPLIED, FEW_DIGITS),
            second=Strategy(of_s, weaknesses=OF_KEPT_SECOND),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array),
            weaknesses=(CROSSES, ROUNDED, MULTIPLIED, FEW_DIGITS, QUOTIENT_ROUNDED),
            second=Strategy(of_y, weaknesses=(*OF_KEPT_SECOND, QUOTIENT_ROUNDED)),
        ),
    )
