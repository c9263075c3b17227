"""The exponential linear unit: z for z > 0, else alpha (e^z - 1), where g' = y + alpha."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation, few_digits, magnitude

SATURATES = Weakness(
    Flaw.CANCELS,
    "y + alpha loses 1.44 bits per unit of -z, until y rounds to -alpha",
    lambda z, _: z < 0,
)


@activation
def elu(m: Any, alpha: float = 1.0) -> Formulas:
    """z where z > 0, else alpha (exp(z) - 1)

    D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units (ELUs)", 2016.
    """
    size = magnitude("alpha", alpha)
    multiplied = Weakness(Flaw.AMPLIFIES, "y is rounded to the digits of alpha, not of g'", lambda z, _: size * (z < 0))
    subnormal = few_digits(exponent=lambda z: z, factor=lambda _: size)

    def forward(z):
        return z if z > 0.0 else alpha * m.expm1(z)

    def forward_array(z):
        return m.where(z > 0.0, z, alpha * m.expm1(m.where(z > 0.0, 0.0, z)))

    def recompute(z):
        return 1.0 if z > 0.0 else alpha * m.exp(z)

    def recompute_array(z):
        return m.where(z > 0.0, 1.0, alpha * m.exp(m.where(z > 0.0, 0.0, z)))

    def recompute_at_once(z):
        return m.capped_exp(z)

    def cached(y):
        return 1.0 if y > 0.0 else y + alpha

    def cached_array(y):
        return m.where(y > 0.0, 1.0, y + alpha)

    def second(z):
        return 0.0 if z > 0.0 else alpha * m.exp(z)

    def second_array(z):
        return m.where(z > 0.0, 0.0, alpha * m.exp(m.where(z > 0.0, 0.0, z)))

    def second_cached(y):
        return 0.0 if y > 0.0 else y + alpha

    def second_cached_array(y):
        return m.where(y > 0.0, 0.0, y + alpha)

    losses = (SATURATES, *((multiplied,) if size > 1.0 else ())) if size else ()  # 0 is subtracted exactly
    from_y = Strategy(
        Piecewise(scalar=cached, array=cached_array),
        weaknesses=losses,
        second=Strategy(Piecewise(scalar=second_cached, array=second_cached_array), weaknesses=losses),
    )
    at_once = alpha == 1.0 and has(m, "capped_exp")
    small = (subnormal,) if size > 1.0 else ()
    formulas = Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-max(alpha, 0.0), inf),
        kinks={} if alpha == 1.0 else {0.0: alpha},
        second_kinks={0.0: alpha},
        uncached=f"y between 0 and {size:g} comes from two different z" if alpha < 0.0 else None,
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if at_once else recompute_array),
            weaknesses=small,
            second=Strategy(Piecewise(scalar=second, array=second_array), weaknesses=small),
        ),
    )
    return formulas if alpha < 0.0 else formulas.with_strategy("cached", from_y)
