"""The sine, y = sin z, with values in [-1, 1] and g' = cos z."""

from __future__ import annotations

from typing import Any

from actbench.activations._waves import waves
from actbench.formula import Formulas, Piecewise, Strategy, activation


@activation
def sine(m: Any) -> Formulas:
    """sin(z)

    V. Sitzmann, J. N. P. Martel, A. W. Bergman, D. B. Lindell and G. Wetzstein, "Implicit Neural Representations with
    Periodic Activation Functions", 2020: SIREN, whose frequency is part of z.
    """
    sin, cos = waves(m)

    def definition(z):
        return m.sin(z)

    def forward(z):
        return sin(z)

    def forward_array(z):
        return m.sin(z)

    def recompute(z):
        return cos(z)

    def recompute_array(z):
        return m.cos(z)

    def second(z):
        return -sin(z)

    def second_array(z):
        return -m.sin(z)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        definition=definition,
        range=(-1.0, 1.0),
        uncached="y tells the size of cos z, not its sign, which changes with every half period",
        recompute=Strategy(
            Piecewise(scalar=recompute, array=recompute_array), second=Piecewise(scalar=second, array=second_array)
        ),
    )
