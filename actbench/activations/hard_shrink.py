"""Hard shrinkage: z beyond the threshold, else 0; g' is 1 or 0."""

from __future__ import annotations

from typing import Any

from actbench.activations._shrinkage import shrinkage
from actbench.formula import Formulas, activation


@activation
def hard_shrink(m: Any, threshold: float = 0.5) -> Formulas:
    """z where |z| > threshold, else 0

    D. L. Donoho and I. M. Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994.
    """

    def forward(z):
        return 0.0 if abs(z) <= threshold else z

    def forward_array(z):
        return m.where(abs(z) <= threshold, 0.0, z)

    return shrinkage(m, threshold, forward, forward_array)
