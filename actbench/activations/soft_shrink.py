"""Soft shrinkage: z moved towards 0 by the threshold, and 0 within it; g' is 1 or 0."""

from __future__ import annotations

from typing import Any

from actbench.activations._places import place
from actbench.formula import Formulas, Piecewise, activation


@activation
def soft_shrink(m: Any, threshold: float = 0.5) -> Formulas:
    """z - threshold above it, z + threshold below minus it, else 0

    D. L. Donoho, "De-Noising by Soft-Thresholding", 1995.
    """
    place("threshold", threshold, positive=True)

    def forward(z):
        if abs(z) <= threshold:
            return 0.0
        return z + threshold if z < 0.0 else z - threshold

    def forward_array(z):
        return m.where(abs(z) <= threshold, 0.0, m.where(z < 0.0, z + threshold, z - threshold))

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
