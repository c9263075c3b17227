"""Tanh shrinkage, y = z - tanh z; g' = tanh^2 z."""

from __future__ import annotations

from typing import Any

from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

SMALL = Weakness(
    Flaw.AMPLIFIES,
    "y is z^3 / 3 near 0, where z - tanh z has what rounding leaves of z",
    lambda z, fmt: 4.0 / (z * z + float(fmt.tiny)),
)
SQUARED = Weakness(
    Flaw.AMPLIFIES,
    "the error of tanh counts twice in its square",
    lambda z, _: 2.0 + 0.0 * abs(z),
)
MOST_IS_Z = Weakness(
    Flaw.AMPLIFIES,
    "y is rounded to the digits of z, and z - y has what they leave of tanh z",
    lambda z, _: 2.0 * abs(z),
)

SATURATES = Weakness(
    Flaw.CANCELS,
    "1 - tanh^2 loses 2.89 bits per unit of |z|, and what rounding z has cost z - y",
    lambda z, _: abs(z) > 0.25,
)


@activation
def tanh_shrink(m: Any) -> Formulas:
    """z - tanh(z)

    R. Collobert, K. Kavukcuoglu and C. Farabet, "Torch7: A Matlab-like Environment for Machine Learning", 2011.
    """

    def forward(z):
        return z - m.tanh(z)

    def recompute(z):
        t = m.tanh(z)
        return t * t

    def pair(z, y):
        t = z - y
        return t * t

    def pair_array(z, y):
        t = m.where(abs(z) > 1e30, 1.0, z) - m.where(abs(z) > 1e30, 0.0, y)  # inf - inf is no number
        return t * t

    def pair_scalar(z, y):
        return 1.0 if abs(z) > 1e30 else pair(z, y)

    def second(z):
        e = m.exp(-2.0 * abs(z))
        return 2.0 * m.tanh(z) * (4.0 * e / (1.0 + e * (2.0 + e)))

    def second_pair(z, y):
        t = z - y
        return 2.0 * t * ((1.0 - t) * (1.0 + t))

    def second_pair_array(z, y):
        t = m.where(abs(z) > 1e30, 1.0, z) - m.where(abs(z) > 1e30, 0.0, y)
        return 2.0 * t * ((1.0 - t) * (1.0 + t))

    def second_pair_scalar(z, y):
        return 0.0 if abs(z) > 1e30 else second_pair(z, y)

    return Formulas(
        forward=forward,
        weaknesses=(SMALL,),
        uncached="z is no closed form of y",
        recompute=Strategy(recompute, weaknesses=(SQUARED,), second=second),
        pair=Strategy(
            Piecewise(scalar=pair_scalar, array=pair_array),
            weaknesses=(MOST_IS_Z,),
            second=Strategy(
                Piecewise(scalar=second_pair_scalar, array=second_pair_array), weaknesses=(MOST_IS_Z, SATURATES)
            ),
        ),
    )
