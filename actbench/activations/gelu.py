"""The Gaussian error linear unit, y = z Phi(z), Phi the normal distribution's; g' = Phi + z phi is 0 at -0.752."""

from __future__ import annotations

from math import inf, log, pi, sqrt
from typing import Any

from actbench.activations._at_once import has
from actbench.activations._normal import ROUNDED, UNDERFLOWS
from actbench.activations._sixteen_bits import QUOTIENT_ROUNDED, SQUARE_ROUNDED
from actbench.activations._squares import rounding_error_of_square
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits

CROSSES = Weakness(
    Flaw.CANCELS,
    "Phi + z phi is the difference of two numbers near z = -0.752, where it is 0, and subnormal in the far tail",
    lambda z, fmt: ((z > -2.4) & (z < -0.45)) | ((z < 0) & (z * z > -2 * log(fmt.tiny))),
)
EXPONENT_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "z^2 / 2 is rounded, and the exponential multiplies the error by z^2",
    lambda z, _: z * z * (z < 0),
)
ONE_PLUS_ERF = Weakness(
    Flaw.CANCELS,
    "1 + erf cancels for z < 0, where it is small",
    lambda z, _: z < 0,
)

SECOND_CROSSES = Weakness(
    Flaw.AMPLIFIES,
    "2 - z^2 is 0 at |z| = 1.414, and has what rounding z^2 has left of it",
    lambda z, fmt: 4.0 / (abs(2.0 - z * z) + float(fmt.eps)),
)
Z_SQUARE_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "z^2 / 2 is rounded, and the exponential multiplies the error by z^2",
    lambda z, _: z * z,
)
OF_SECOND = (SECOND_CROSSES, few_digits(exponent=lambda z: -z * z / 2, factor=lambda z: z * z))


def _second(m: Any) -> tuple[Piecewise, ...]:
    """Return the forms of g'' from z: as published, and with the square's rounding error corrected."""
    peak = 1.0 / sqrt(2.0 * pi)
    square_error = rounding_error_of_square(m)

    def second_textbook(z):
        t = min(max(z, -40.0), 40.0)
        return (2.0 - t * t) * (peak * m.exp(-0.5 * t * t))

    def second_textbook_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        return (2.0 - t * t) * (peak * m.exp(-0.5 * t * t))

    def second(z):
        if abs(z) <= 40.0:
            square = z * z
            e = m.exp(-0.5 * square)
            return (2.0 - square) * (peak * (e - 0.5 * e * square_error(z, square)))
        return 0.0 if abs(z) > 40.0 else z

    def second_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-0.5 * square)
        return (2.0 - square) * (peak * (e - 0.5 * e * square_error(t, square)))

    return Piecewise(scalar=second_textbook, array=second_textbook_array), Piecewise(scalar=second, array=second_array)


@activation
def gelu(m: Any) -> Formulas:
    """z (1 + erf(z / sqrt(2))) / 2

    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """
    root_half = sqrt(0.5)
    peak = 1.0 / sqrt(2.0 * pi)
    square_error = rounding_error_of_square(m)

    def definition(z):
        if abs(z) > 1e9:
            return z if z > 0.0 else 0.0 * z  # to many thousand digits
        return z * m.erfc(-z / m.sqrt(2.0)) / 2.0

    def forward(z):
        if z < -40.0:
            return 0.0  # so is the limit, while -inf times 0 is not
        return 0.5 * z * m.erfc(-root_half * z)

    def forward_array(z):
        return 0.5 * m.where(z < -40.0, -40.0, z) * m.erfc(-root_half * z)

    def textbook(z):
        t = min(max(z, -40.0), 40.0)
        return 0.5 * (1.0 + m.erf(root_half * z)) + t * (peak * m.exp(-0.5 * t * t))

    def textbook_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        return 0.5 * (1.0 + m.erf(root_half * z)) + t * (peak * m.exp(-0.5 * t * t))

    def recompute(z):
        if abs(z) <= 40.0:
            square = z * z
            e = m.exp(-0.5 * square)
            return 0.5 * m.erfc(-root_half * z) + z * (peak * (e - 0.5 * e * square_error(z, square)))
        if z > 40.0:
            return 1.0
        return 0.0 if z < -40.0 else z  # or NaN, which has no floor

    def recompute_array(z):
        t = m.where(abs(z) > 40.0, 40.0, z)
        square = t * t
        e = m.exp(-0.5 * square)
        return 0.5 * m.erfc(-root_half * z) + t * (peak * (e - 0.5 * e * square_error(t, square)))

    def recompute_at_once(z):
        return m.gelu_derivative(z)

    def gate(z):
        if z < -40.0:
            return 0.0, 0.0
        p = 0.5 * m.erfc(-root_half * z)
        return z * p, p

    def gate_array(z):
        p = 0.5 * m.erfc(-root_half * z)
        return m.where(z < -40.0, -40.0, z) * p, p

    def intermediate(z, p):
        t = 40.0 if abs(z) > 40.0 else z
        return p + t * (peak * m.exp(-0.5 * t * t))

    def intermediate_array(z, p):
        t = m.where(abs(z) > 40.0, 40.0, z)
        return p + t * (peak * m.exp(-0.5 * t * t))

    def pair(z, y):
        if abs(z) > 40.0:
            return 1.0 if z > 0.0 else 0.0
        p = y / z if abs(z) > 1e-30 else 0.5
        return p + z * (peak * m.exp(-0.5 * z * z))

    def pair_array(z, y):
        far = abs(z) > 40.0
        t = m.where(far, 40.0, z)
        tiny = abs(z) <= 1e-30  # which is 0 in float16
        p = m.where(tiny, 0.5, m.where(far, 40.0, y) / m.where(tiny, 1.0, t))
        return m.where(z < -40.0, 0.0, p + t * (peak * m.exp(-0.5 * t * t)))

    published, of_z = _second(m)
    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(-0.16997120747990366, inf),
        weaknesses=(ROUNDED, UNDERFLOWS),
        uncached="y between -0.170 and 0 comes from two different z",
        textbook=Strategy(
            Piecewise(scalar=textbook, array=textbook_array),
            weaknesses=(ONE_PLUS_ERF,),
            second=Strategy(
                published,
                weaknesses=(*OF_SECOND, Z_SQUARE_ROUNDED),
            ),
        ),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "gelu_derivative") else recompute_array),
            weaknesses=(CROSSES, SQUARE_ROUNDED),
            second=Strategy(of_z, weaknesses=(*OF_SECOND, SQUARE_ROUNDED)),
        ),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=gate, array=gate_array),
            weaknesses=(CROSSES, EXPONENT_ROUNDED),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array), weaknesses=(CROSSES, EXPONENT_ROUNDED, QUOTIENT_ROUNDED)
        ),
    )
