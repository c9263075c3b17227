"""Soft shrinkage: z moved towards 0 by the threshold, and 0 within it; g' is 1 or 0."""

from __future__ import annotations

from typing import Any

from actbench.activations._shrinkage import shrinkage
from actbench.formula import Formulas, activation


@activation
def soft_shrink(m: Any, threshold: float = 0.5) -> Formulas:
    """z - threshold above it, z + threshold below minus it, else 0

    D. L. Donoho, "De-Noising by Soft-Thresholding", 1995.
    """

    def forward(z):
        if abs(z) <= threshold:
            return 0.0
        return z + threshold if z < 0.0 else z - threshold

    def forward_array(z):
        return m.where(abs(z) <= threshold, 0.0, m.where(z < 0.0, z + threshold, z - threshold))

    return shrinkage(m, threshold, forward, forward_array)
