"""The softsign, y = z / (1 + |z|), with values in (-1, 1) and g' = 1 / (1 + |z|)^2 = (1 - |y|)^2."""

from __future__ import annotations

from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - |y| loses the bits of |z|, until |y| rounds to 1",
    lambda z, _: abs(z) > 1,
)


@activation
def softsign(m: Any) -> Formulas:
    """z / (1 + |z|)

    J. Bergstra, G. Desjardins, P. Lamblin and Y. Bengio, "Quadratic Polynomials Learn Better Image Features", 2009.
    """

    def forward(z):
        r = 1.0 / (1.0 + abs(z))
        if abs(z) < 1.0:
            return z * r
        return 1.0 - r if z > 0.0 else r - 1.0  # inf times 0 is not 1

    def forward_array(z):
        a = abs(z)
        r = 1.0 / (1.0 + a)
        size = m.where(a < 1.0, a * r, 1.0 - r)
        return m.where(z < 0.0, -size, size)

    def recompute(z):
        r = 1.0 / (1.0 + abs(z))
        return r * r

    def cached(y):
        r = 1.0 - abs(y)
        return r * r

    def second(z):
        r = 1.0 / (1.0 + abs(z))
        bend = 2.0 * r * (r * r)
        return -bend if z > 0.0 else bend

    def second_array(z):
        r = 1.0 / (1.0 + abs(z))
        bend = 2.0 * r * (r * r)
        return m.where(z > 0.0, -bend, bend)

    def second_cached(y):
        r = 1.0 - abs(y)
        bend = 2.0 * r * (r * r)
        return -bend if y > 0.0 else bend

    def second_cached_array(y):
        r = 1.0 - abs(y)
        bend = 2.0 * r * (r * r)
        return m.where(y > 0.0, -bend, bend)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-1.0, 1.0),
        second_kinks={0.0: 2.0},
        recompute=Strategy(recompute, second=Piecewise(scalar=second, array=second_array)),
        cached=Strategy(
            cached,
            weaknesses=(SATURATES,),
            second=Strategy(Piecewise(scalar=second_cached, array=second_cached_array), weaknesses=(SATURATES,)),
        ),
    )
