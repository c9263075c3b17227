"""The scaled exponential linear unit, an ELU that keeps mean 0 and variance 1 from layer to layer."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Formulas, Piecewise, Strategy, Weakness, activation

LAMBDA = 1.0507009873554804934193349852946
ALPHA = 1.6732632423543772848170429916717
"""Both from the paper's equation 14, in more digits by its authors' program."""

SATURATES = Weakness(
    Flaw.CANCELS,
    "y + lambda alpha loses 1.44 bits per unit of -z, until y rounds to -lambda alpha",
    lambda z, _: z < 0,
)


@activation
def selu(m: Any) -> Formulas:
    """1.0507 z where z > 0, else 1.7581 (exp(z) - 1)

    G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-Normalizing Neural Networks", 2017.
    """
    scale = LAMBDA
    steep = LAMBDA * ALPHA

    def forward(z):
        return scale * z if z > 0.0 else steep * m.expm1(z)

    def forward_array(z):
        return m.where(z > 0.0, scale * m.where(z > 0.0, z, 0.0), steep * m.expm1(m.where(z > 0.0, 0.0, z)))

    def recompute(z):
        return scale if z > 0.0 else steep * m.exp(z)

    def recompute_array(z):
        return m.where(z > 0.0, scale, steep * m.exp(m.where(z > 0.0, 0.0, z)))

    def recompute_at_once(z):
        return m.where(z > 0.0, scale, steep * m.capped_exp(z))

    def cached(y):
        return scale if y > 0.0 else y + steep

    def cached_array(y):
        return m.where(y > 0.0, scale, y + steep)

    def second(z):
        return 0.0 if z > 0.0 else steep * m.exp(z)

    def second_array(z):
        return m.where(z > 0.0, 0.0, steep * m.exp(m.where(z > 0.0, 0.0, z)))

    def second_cached(y):
        return 0.0 if y > 0.0 else y + steep

    def second_cached_array(y):
        return m.where(y > 0.0, 0.0, y + steep)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(-steep, inf),
        kinks={0.0: steep},
        second_kinks={0.0: steep},
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_at_once if has(m, "capped_exp") else recompute_array),
            second=Piecewise(scalar=second, array=second_array),
        ),
        cached=Strategy(
            Piecewise(scalar=cached, array=cached_array),
            weaknesses=(SATURATES,),
            second=Strategy(Piecewise(scalar=second_cached, array=second_cached_array), weaknesses=(SATURATES,)),
        ),
    )
