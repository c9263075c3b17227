"""The rectified linear unit that stops at 6; g' = 1 between 0 and 6, else 0."""

from __future__ import annotations

from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def relu6(m: Any) -> Formulas:
    """z, at least 0 and at most 6

    A. Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010.
    """

    def forward(z):
        if z <= 0.0:
            return 0.0
        return 6.0 if z >= 6.0 else z

    def forward_array(z):
        return m.where(z <= 0.0, 0.0, m.where(z >= 6.0, 6.0, z))

    def recompute(z):
        return 1.0 if 0.0 < z < 6.0 else 0.0

    def recompute_array(z):
        return m.where((z > 0.0) & (z < 6.0), m.ones_like(z), 0.0)

    def cached(y):
        return 1.0 if 0.0 < y < 6.0 else 0.0

    def cached_array(y):
        return m.where((y > 0.0) & (y < 6.0), m.ones_like(y), 0.0)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(0.0, 6.0),
        kinks={0.0: 0.0, 6.0: 0.0},
        at_nan=0.0,
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Piecewise(scalar=cached, array=cached_array),
    )
