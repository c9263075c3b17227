"""The continuously differentiable ELU: z for z > 0, else alpha (e^(z / alpha) - 1), where g' = 1 + y / alpha."""

from __future__ import annotations

from math import frexp, inf
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, magnitude

SATURATES = Weakness(
    Flaw.CANCELS,
    "1 + y / alpha loses 1.44 bits per unit of -z / alpha, until y rounds to -alpha",
    lambda z, _: z < 0,
)


@activation
def celu(m: Any, alpha: float = 1.0) -> Formulas:
    """z where z > 0, else alpha (exp(z / alpha) - 1)

    J. T. Barron, "Continuously Differentiable Exponential Linear Units", 2017.
    """
    magnitude("alpha", alpha, positive=True)
    rounded = Weakness(
        Flaw.AMPLIFIES,
        "z / alpha is rounded, and the exponential multiplies the error by z / alpha",
        lambda z, _: -z / alpha,
    )
    subnormal = Weakness(
        Flaw.AMPLIFIES,
        "z / alpha is below the smallest normal number and has few digits, and its error is multiplied by alpha",
        lambda z, fmt: alpha * (abs(z) < alpha * float(fmt.tiny)),
    )
    small = Weakness(Flaw.AMPLIFIES, "the error is divided by alpha", lambda z, _: (z < 0) / alpha)
    inexact = () if frexp(alpha)[0] == 0.5 else (rounded,)  # a power of two is exact
    divided = (small,) if alpha < 1.0 else ()

    def forward(z):
        return z if z > 0.0 else alpha * m.expm1(z / alpha)

    def forward_array(z):
        return m.where(z > 0.0, z, alpha * m.expm1(m.where(z > 0.0, 0.0, z) / alpha))

    def recompute(z):
        return 1.0 if z > 0.0 else m.exp(z / alpha)

    def recompute_array(z):
        return m.exp(m.where(z > 0.0, 0.0, z) / alpha)

    def recompute_at_once(z):
        return m.capped_exp(z / alpha)

    def cached(y):
        return 1.0 if y > 0.0 else 1.0 + y / alpha

    def cached_array(y):
        return 1.0 + m.where(y > 0.0, 0.0, y) / alpha

    def second(z):
        return 0.0 if z > 0.0 else m.exp(z / alpha) / alpha

    def second_array(z):
        return m.where(z > 0.0, 0.0, m.exp(m.where(z > 0.0, 0.0, z) / alpha) / alpha)

    def second_cached(y):
        return 0.0 if y > 0.0 else (1.0 + y / alpha) / alpha

    def second_cached_array(y):
        return m.where(y > 0.0, 0.0, (1.0 + m.where(y > 0.0, 0.0, y) / alpha) / alpha)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-alpha, inf),
        weaknesses=(subnormal,) if alpha > 1.0 else (),
        second_kinks={0.0: 1.0 / alpha},
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "capped_exp") else recompute_array),
            weaknesses=inexact,
            second=Strategy(Piecewise(scalar=second, array=second_array), weaknesses=(*inexact, *divided)),
        ),
        cached=Strategy(
            Piecewise(scalar=cached, array=cached_array),
            weaknesses=(SATURATES,),
            second=Strategy(
                Piecewise(scalar=second_cached, array=second_cached_array), weaknesses=(SATURATES, *divided)
            ),
        ),
    )
