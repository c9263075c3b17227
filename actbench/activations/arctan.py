"""The arc tangent, y = atan z, with values in (-pi/2, pi/2) and g' = 1 / (1 + z^2) = cos^2 y."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from actbench.activations._sixteen_bits import SQUARE_OVERFLOWS
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

TEXTBOOK_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "z^2 overflows",
    lambda z, fmt: abs(z) > sqrt(float(fmt.max)),
)
STEEP = Weakness(
    Flaw.CANCELS,
    "cos y is what is left of pi/2 - |y|, which loses the bits of |z|",
    lambda z, _: abs(z) > 1,
)

LARGE_Z = 1e9
"""|z| from which on 1 + z^2 rounds to z^2, in float32 and float64."""

FOURTH_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "(1 + z^2)^2 overflows",
    lambda z, fmt: abs(z) > sqrt(sqrt(float(fmt.max))),
)


@activation
def arctan(m: Any) -> Formulas:
    """atan(z)

    G. Cybenko, "Approximation by Superpositions of a Sigmoidal Function", 1989, whose theorem covers it.
    """

    def forward(z):
        return m.atan(z)

    def textbook(z):
        return 1.0 / (1.0 + z * z)

    def recompute(z):
        if abs(z) > LARGE_Z:
            r = 1.0 / z  # its square does not overflow
            return r * r
        return 1.0 / (1.0 + z * z)

    def recompute_array(z):
        far = abs(z) > LARGE_Z
        near = m.where(far, 0.0, z)
        r = 1.0 / m.where(far, z, 1.0)
        return m.where(far, r * r, 1.0 / (1.0 + near * near))

    def cached(y):
        c = m.cos(y)  # slower than a division: the output suffices, but does not help
        return c * c

    def second_textbook(z):
        d = 1.0 + z * z
        return -2.0 * z / (d * d)

    def second(z):
        if abs(z) > LARGE_Z:
            r = 1.0 / z
            return -2.0 * r * (r * r)
        r = 1.0 / (1.0 + z * z)
        return -2.0 * z * r * r

    def second_array(z):
        far = abs(z) > LARGE_Z
        near = m.where(far, 0.0, z)
        r = 1.0 / m.where(far, z, 1.0)
        d = 1.0 / (1.0 + near * near)
        return -2.0 * m.where(far, r * (r * r), near * d * d)

    def second_cached(y):
        c = m.cos(y)
        return -2.0 * m.sin(y) * (c * c * c)

    return Formulas(
        forward=forward,
        range=(-pi / 2.0, pi / 2.0),
        textbook=Strategy(
            textbook,
            weaknesses=(TEXTBOOK_OVERFLOWS,),
            second=Strategy(second_textbook, weaknesses=(FOURTH_OVERFLOWS,)),
        ),
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array),
            weaknesses=(SQUARE_OVERFLOWS,),
            second=Strategy(Piecewise(scalar=second, array=second_array), weaknesses=(SQUARE_OVERFLOWS,)),
        ),
        cached=Strategy(cached, weaknesses=(STEEP,), second=Strategy(second_cached, weaknesses=(STEEP,))),
    )
