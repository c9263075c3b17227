"""Mish, y = z tanh(softplus z); g' changes sign at -1.192."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.activations._sixteen_bits import QUOTIENT_ROUNDED
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits

CROSSES = Weakness(
    Flaw.CANCELS,
    "g' is the difference of two numbers near z = -1.192, where it is 0",
    lambda z, _: abs(z + 1.1925) < 0.2,
)
MULTIPLIED = Weakness(
    Flaw.AMPLIFIES,
    "what rounding has left of 1 - w, w = tanh(softplus z) = y / z, is multiplied by 2 y",
    lambda z, _: 2.0 * abs(z),
)
FEW_DIGITS = few_digits(exponent=lambda z: z, factor=lambda z: 2.0 * abs(z))

SECOND_CROSSES = Weakness(
    Flaw.CANCELS,
    "g'' is the difference of two numbers near z = -2.256 and 1.491, where it is 0",
    lambda z, _: (abs(z + 2.2563) < 0.5) | (abs(z - 1.4906) < 0.5),
)
SECOND_FEW_DIGITS = few_digits(exponent=lambda z: z - 3.0 * z * (z > 0), factor=lambda z: 4.0 * abs(z))


def _second(m: Any) -> Piecewise:
    """Return the form of g'' from z."""

    def second(z):
        if z < 0.0:
            z = max(z, -800.0)
            e = m.exp(z)
            n = e * (e + 2.0)
            d = n + 2.0
            return 4.0 * e / (d * d) * (2.0 * (1.0 + e) + z * (d - 2.0 * n * e) / d)
        z = min(z, 800.0)
        q = m.exp(-z)
        n = 1.0 + 2.0 * q
        d = n + 2.0 * q * q
        return 4.0 * q * q / (d * d) * (2.0 * (1.0 + q) + z * (q * d - 2.0 * n) / d)

    def second_array(z):
        low = z < 0.0
        t = m.where(z > 800.0, 800.0, m.where(z < -800.0, -800.0, z))
        e = m.exp(-abs(t))
        n = m.where(low, e * (e + 2.0), 1.0 + 2.0 * e)
        d = n + m.where(low, 2.0, 2.0 * e * e)
        left = m.where(low, d - 2.0 * n * e, e * d - 2.0 * n)
        return 4.0 * m.where(low, e, e * e) / (d * d) * (2.0 * (1.0 + e) + t * left / d)

    return Piecewise(scalar=second, array=second_array)


@activation
def mish(m: Any) -> Formulas:
    """z tanh(log(1 + exp(z)))

    D. Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
    """
    # tanh(log(1 + q)) = q (q + 2) / (q (q + 2) + 2), and with e = e^-|z| neither side overflows.

    def forward(z):
        if z < 0.0:
            z = max(z, -800.0)  # e^z is 0 from there on, and -inf times 0 is not
            e = m.exp(z)
            n = e * (e + 2.0)
            return z * (n / (n + 2.0))
        e = m.exp(-z)
        n = 1.0 + 2.0 * e
        return z * (n / (n + 2.0 * e * e))

    def forward_array(z):
        e = m.exp(-abs(z))
        low = z < 0.0
        n = m.where(low, e * (e + 2.0), 1.0 + 2.0 * e)
        return m.where(z < -800.0, -800.0, z) * (n / (n + m.where(low, 2.0, 2.0 * e * e)))

    def recompute(z):
        if z < 0.0:
            z = max(z, -800.0)
            s = m.exp(z)
            q = s / (1.0 + s * (1.0 + 0.5 * s))
            return q * ((1.0 + z) + 0.5 * s * (1.0 - z * q))  # small terms, so that little is lost where g' is 0
        z = min(z, 800.0)
        s = 2.0 * m.exp(-z)
        d = 1.0 + s * (1.0 + 0.5 * s)
        q = s / d
        return q * (1.0 + z) + (1.0 - z * q) / d

    def recompute_array(z):
        low = z < 0.0
        t = m.where(z > 800.0, 800.0, m.where(z < -800.0, -800.0, z))
        e = m.exp(-abs(t))
        s = m.where(low, e, 2.0 * e)
        d = 1.0 + s * (1.0 + 0.5 * s)
        q = s / d
        left = 1.0 - t * q
        return m.where(low, q * ((1.0 + t) + 0.5 * s * left), q * (1.0 + t) + left / d)

    def recompute_at_once(z):
        return m.mish_derivative(z)

    def pair(z, y):
        if abs(z) > 800.0:
            return 1.0 if z > 0.0 else 0.0
        w = y / z if abs(z) > 1e-30 else 0.6
        return w + 2.0 * y * (1.0 - w) / (1.0 + m.sqrt((1.0 - w) / (1.0 + w)))

    def pair_array(z, y):
        far = abs(z) > 800.0
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        w = m.where(tiny, 0.6, m.where(far, 1.0, y) / m.where(far | tiny, 1.0, z))
        slope = w + 2.0 * m.where(far, 0.0, y) * (1.0 - w) / (1.0 + m.sqrt((1.0 - w) / (1.0 + w)))
        return m.where(z < -800.0, 0.0, slope)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        weaknesses=(FEW_DIGITS,),
        range=(-0.3088434130172504, inf),
        uncached="y between -0.309 and 0 comes from two different z",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "mish_derivative") else recompute_array),
            weaknesses=(CROSSES, FEW_DIGITS),
            second=Strategy(_second(m), weaknesses=(SECOND_CROSSES, SECOND_FEW_DIGITS)),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array), weaknesses=(CROSSES, MULTIPLIED, FEW_DIGITS, QUOTIENT_ROUNDED)
        ),
    )
