"""Hard shrinkage: z beyond the threshold, else 0; g' is 1 or 0."""

from __future__ import annotations

from typing import Any

from actbench.activations._places import place
from actbench.formula import Formulas, Piecewise, activation


@activation
def hard_shrink(m: Any, threshold: float = 0.5) -> Formulas:
    """z where |z| > threshold, else 0

    D. L. Donoho and I. M. Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994.
    """
    place("threshold", threshold, positive=True)

    def forward(z):
        return 0.0 if abs(z) <= threshold else z

    def forward_array(z):
        return m.where(abs(z) <= threshold, 0.0, z)

    def recompute(z):
        return 1.0 if abs(z) > threshold else 0.0

    def recompute_array(z):
        return m.where(abs(z) > threshold, m.ones_like(z), 0.0)

    def cached(y):
        return 1.0 if abs(y) > 0.0 else 0.0

    def cached_array(y):
        return m.where(abs(y) > 0.0, m.ones_like(y), 0.0)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        kinks={-threshold: 0.0, threshold: 0.0},
        at_nan=0.0,
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Piecewise(scalar=cached, array=cached_array),
    )
