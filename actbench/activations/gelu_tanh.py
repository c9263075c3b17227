"""GELU by tanh, y = z s(2u), u = sqrt(2/pi) (z + 0.044715 z^3), s the logistic; g' changes sign at -0.752."""

from __future__ import annotations

from math import inf, pi, sqrt
from typing import Any

from actbench.activations._at_once import has
from actbench.activations._sixteen_bits import QUOTIENT_ROUNDED
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits

CUBIC = 0.044715
SLOPE = 2.0 * sqrt(2.0 / pi)

CROSSES = Weakness(
    Flaw.CANCELS,
    "g' is the difference of two numbers near z = -0.752, where it is 0",
    lambda z, _: abs(z + 0.7525) < 0.2,
)
ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "2 u is rounded, as are its coefficients, and the exponential multiplies the error by 2 u",
    lambda z, _: -SLOPE * z * (1.0 + CUBIC * z * z),
)
MULTIPLIED = Weakness(
    Flaw.AMPLIFIES,
    "what rounding has left of 1 - s is multiplied by 2 z u'",
    lambda z, _: SLOPE * abs(z) * (1.0 + 3.0 * CUBIC * z * z),
)

SECOND_CROSSES = Weakness(
    Flaw.CANCELS,
    "g'' is the difference of two numbers near |z| = 1.415, where it is 0",
    lambda z, _: abs(abs(z) - 1.4153) < 0.4,
)
SECOND_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "2 u is rounded, as are its coefficients, and the exponential multiplies the error by 2 u",
    lambda z, _: SLOPE * abs(z) * (1.0 + CUBIC * z * z),
)
SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - s loses 1.44 bits per unit of 2 u, until s rounds to 1",
    lambda z, _: z > 0,
)
STEEPER = Weakness(
    Flaw.AMPLIFIES,
    "what rounding has left of 1 - s is multiplied by 4 z u'^2",
    lambda z, _: SLOPE**2 * abs(z) * (1.0 + 3.0 * CUBIC * z * z) ** 2,
)
SECOND_FEW_DIGITS = few_digits(
    exponent=lambda z: -SLOPE * abs(z) * (1.0 + CUBIC * z * z),
    factor=lambda z: SLOPE**2 * abs(z) * (1.0 + 3.0 * CUBIC * z * z) ** 2,
)
OF_SECOND = (SECOND_CROSSES, SECOND_ROUNDED, SECOND_FEW_DIGITS)


def _second(m: Any) -> tuple[Piecewise, ...]:
    """Return the forms of g'' from z, and from z and y."""
    cubic = CUBIC
    slope = SLOPE

    def second(z):
        a = min(abs(z), 40.0) if abs(z) >= 0.0 else z
        e = m.exp(-slope * a * (1.0 + cubic * a * a))
        d = 1.0 + e
        steep, share = slope * (1.0 + 3.0 * cubic * a * a), e / (d * d)
        bend = 2.0 * steep + slope * 6.0 * cubic * a * a
        return share * bend - share * steep * (a * steep * (1.0 - e) / d)

    def second_array(z):
        a = m.where(abs(z) > 40.0, 40.0, abs(z))
        e = m.exp(-slope * a * (1.0 + cubic * a * a))
        d = 1.0 + e
        steep, share = slope * (1.0 + 3.0 * cubic * a * a), e / (d * d)
        bend = 2.0 * steep + slope * 6.0 * cubic * a * a
        return share * bend - share * steep * (a * steep * (1.0 - e) / d)

    def second_pair(z, y):
        if abs(z) > 40.0:
            return 0.0
        s = y / z if abs(z) > 1e-30 else 0.5
        steep, share = slope * (1.0 + 3.0 * cubic * z * z), s * (1.0 - s)
        bend = 2.0 * steep + slope * 6.0 * cubic * z * z
        return share * bend + share * steep * (z * steep * (1.0 - 2.0 * s))

    def second_pair_array(z, y):
        far = abs(z) > 40.0
        t = m.where(far, 40.0, z)
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, m.where(far, 40.0, y) / m.where(tiny, 1.0, t))
        steep, share = slope * (1.0 + 3.0 * cubic * t * t), s * (1.0 - s)
        bend = 2.0 * steep + slope * 6.0 * cubic * t * t
        return m.where(far, 0.0, share * bend + share * steep * (t * steep * (1.0 - 2.0 * s)))

    return Piecewise(scalar=second, array=second_array), Piecewise(scalar=second_pair, array=second_pair_array)


@activation
def gelu_tanh(m: Any) -> Formulas:
    """z / (1 + exp(-2 sqrt(2 / pi) (z + 0.044715 z^3)))

    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """
    cubic = CUBIC
    slope = SLOPE

    def definition(z):
        if abs(z) > 1e9:
            return z if z > 0.0 else 0.0 * z  # to many thousand digits
        return z / (1.0 + m.exp(-2.0 * m.sqrt(2.0 / m.pi) * (z + cubic * z * z * z)))

    def forward(z):
        t = z if abs(z) < 40.0 else 40.0  # the exponential is 0 from 20 on, and z^3 may overflow
        e = m.exp(-slope * abs(t) * (1.0 + cubic * t * t))
        if z < 0.0:
            return max(z, -40.0) * e / (1.0 + e)
        return z / (1.0 + e)

    def forward_array(z):
        a = abs(z)
        a = m.where(a > 40.0, 40.0, a)
        e = m.exp(-slope * a * (1.0 + cubic * a * a))
        return m.where(z < 0.0, -a * e, z) / (1.0 + e)

    def recompute(z):
        a = abs(z)
        if a > 40.0:
            a = 40.0
        e = m.exp(-slope * a * (1.0 + cubic * a * a))
        d = 1.0 + e
        steep = a * slope * (1.0 + 3.0 * cubic * a * a) / d
        if z < 0.0:
            return e * (1.0 - steep) / d
        return (1.0 + e * steep) / d

    def recompute_array(z):
        a = abs(z)
        a = m.where(a > 40.0, 40.0, a)
        e = m.exp(-slope * a * (1.0 + cubic * a * a))
        d = 1.0 + e
        steep = a * slope * (1.0 + 3.0 * cubic * a * a) / d
        return m.where(z < 0.0, e * (1.0 - steep), 1.0 + e * steep) / d

    def recompute_at_once(z):
        return m.gelu_tanh_derivative(z)

    def pair(z, y):
        if abs(z) > 40.0:
            return 1.0 if z > 0.0 else 0.0
        s = y / z if abs(z) > 1e-30 else 0.5
        return s + y * (1.0 - s) * slope * (1.0 + 3.0 * cubic * z * z)

    def pair_array(z, y):
        far = abs(z) > 40.0
        t = m.where(far, 40.0, z)
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        s = m.where(tiny, 0.5, m.where(far, 40.0, y) / m.where(tiny, 1.0, t))
        return m.where(z < -40.0, 0.0, s + m.where(far, 0.0, y) * (1.0 - s) * slope * (1.0 + 3.0 * cubic * t * t))

    of_z, of_y = _second(m)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(-0.17004075057125406, inf),
        weaknesses=(ROUNDED,),
        uncached="y between -0.170 and 0 comes from two different z",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "gelu_tanh_derivative") else recompute_array),
            weaknesses=(CROSSES, ROUNDED),
            second=Strategy(of_z, weaknesses=OF_SECOND),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array),
            weaknesses=(CROSSES, ROUNDED, MULTIPLIED, QUOTIENT_ROUNDED),
            second=Strategy(
                of_y,
                weaknesses=(*OF_SECOND, SATURATES, STEEPER, QUOTIENT_ROUNDED),
            ),
        ),
    )
