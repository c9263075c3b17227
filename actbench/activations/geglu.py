"""The linear unit gated by GELU, y = a Phi(a) b, Phi the normal distribution's."""

from __future__ import annotations

from math import e, inf, pi, sqrt
from typing import Any

from actbench.activations import _normal, gelu
from actbench.activations._gates import of_gate, of_quotient, quotients
from actbench.activations._squares import rounding_error_of_square
from actbench.formula import Formulas, Piecewise, Strategy, activation


def phi(a: Any) -> Any:
    """Return Phi(a) of arrays to 2 %, for regions of weaknesses: by Z. Birnbaum's bound of Mills' ratio, 1942."""
    size = abs(a)
    tail = sqrt(2.0 / pi) * e ** (-0.5 * size * size) / (size + (size * size + 8.0 / pi) ** 0.5)
    return (a < 0) * tail + (a >= 0) * (1.0 - tail)


CROSSES, ROUNDED, UNDERFLOWS, EXPONENT_ROUNDED = of_gate(
    gelu.CROSSES, _normal.ROUNDED, _normal.UNDERFLOWS, gelu.EXPONENT_ROUNDED
)
LOST = of_quotient(lambda a: a * phi(a))


@activation
def geglu(m: Any) -> Formulas:
    """a (1 + erf(a / sqrt(2))) / 2 b

    N. Shazeer, "GLU Variants Improve Transformer", 2020.
    """
    root_half = sqrt(0.5)
    peak = 1.0 / sqrt(2.0 * pi)
    square_error = rounding_error_of_square(m)
    quotient, quotient_of_arrays = quotients(m)

    def definition(a, b):
        if abs(a) > 1e9:
            return (a if a > 0.0 else 0.0 * a) * b  # to many thousand digits
        return a * m.erfc(-a / m.sqrt(2.0)) / 2.0 * b

    def bell(a):
        """Return a phi(a), for |a| up to 40, with the square's rounding error in the exponent."""
        square = a * a
        e = m.exp(-0.5 * square)
        return a * (peak * (e - 0.5 * e * square_error(a, square)))

    def forward(a, b):
        return max(a, -40.0) * (0.5 * m.erfc(-root_half * a)) * b

    def forward_array(a, b):
        return m.where(a < -40.0, -40.0, a) * (0.5 * m.erfc(-root_half * a)) * b

    def recompute(a, b):
        p = 0.5 * m.erfc(-root_half * a)
        return b * (p + (bell(a) if abs(a) <= 40.0 else 0.0)), max(a, -40.0) * p

    def recompute_array(a, b):
        p = 0.5 * m.erfc(-root_half * a)
        return b * (p + bell(m.where(abs(a) > 40.0, 40.0, a))), m.where(a < -40.0, -40.0, a) * p

    def save(a, b):
        p = 0.5 * m.erfc(-root_half * a)
        return max(a, -40.0) * p * b, p

    def save_array(a, b):
        p = 0.5 * m.erfc(-root_half * a)
        return m.where(a < -40.0, -40.0, a) * p * b, p

    def intermediate(a, b, p):
        t = min(max(a, -40.0), 40.0)
        return b * (p + t * (peak * m.exp(-0.5 * t * t))), max(a, -40.0) * p

    def intermediate_array(a, b, p):
        t = m.where(abs(a) > 40.0, 40.0, a)
        return b * (p + t * (peak * m.exp(-0.5 * t * t))), m.where(a < -40.0, -40.0, a) * p

    def pair(a, b, y):
        g = quotient(y, b)
        p = g / a if abs(a) > 1e-30 else 0.5
        t = min(max(a, -40.0), 40.0)
        return b * (p + t * (peak * m.exp(-0.5 * t * t))), g

    def pair_array(a, b, y):
        g = quotient_of_arrays(y, b)
        tiny = abs(a) <= 1e-30  # which is 0 in float16
        p = m.where(tiny, 0.5, g) / m.where(tiny, 1.0, a)
        t = m.where(abs(a) > 40.0, 40.0, a)
        return b * (p + t * (peak * m.exp(-0.5 * t * t))), g

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(-0.16997120747990366, inf),
        weaknesses=(ROUNDED, UNDERFLOWS),
        uncached="g(a) = y / b between -0.170 and 0 comes from two different a",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array), weaknesses=(CROSSES, ROUNDED, UNDERFLOWS)
        ),
        intermediate=Strategy(
            Piecewise(scalar=intermediate, array=intermediate_array),
            save=Piecewise(scalar=save, array=save_array),
            weaknesses=(CROSSES, EXPONENT_ROUNDED, UNDERFLOWS),
        ),
        pair=Strategy(
            Piecewise(scalar=pair, array=pair_array), weaknesses=(CROSSES, EXPONENT_ROUNDED, UNDERFLOWS, *LOST)
        ),
    )
