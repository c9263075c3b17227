"""The continuously differentiable ELU: z for z > 0, else alpha (e^(z / alpha) - 1), where g' = 1 + y / alpha."""

from __future__ import annotations

from math import frexp, inf
from typing import Any

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
    exact = frexp(alpha)[0] == 0.5  # a power of two

    def forward(z):
        return z if z > 0.0 else alpha * m.expm1(z / alpha)

    def forward_array(z):
        return m.where(z > 0.0, z, alpha * m.expm1(m.where(z > 0.0, 0.0, z) / alpha))

    def recompute(z):
        return 1.0 if z > 0.0 else m.exp(z / alpha)

    def recompute_array(z):
        return m.exp(m.where(z > 0.0, 0.0, z) / alpha)

    def cached(y):
        return 1.0 if y > 0.0 else 1.0 + y / alpha

    def cached_array(y):
        return 1.0 + m.where(y > 0.0, 0.0, y) / alpha

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-alpha, inf),
        weaknesses=(subnormal,) if alpha > 1.0 else (),
        recompute=Strategy(Piecewise(scalar=recompute, array=recompute_array), weaknesses=() if exact else (rounded,)),
        cached=Strategy(Piecewise(scalar=cached, array=cached_array), weaknesses=(SATURATES,)),
    )
