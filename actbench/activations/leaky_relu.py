"""The leaky rectified linear unit: z for z > 0, else slope z; g' is 1 or the slope."""

from __future__ import annotations

from typing import Any

from actbench.formula import Formulas, Piecewise, activation, magnitude


@activation
def leaky_relu(m: Any, slope: float = 0.01) -> Formulas:
    """z where z > 0, else slope z

    A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """
    magnitude("slope", slope)

    def forward(z):
        return z if z > 0.0 else slope * z

    def forward_array(z):
        return m.where(z > 0.0, z, slope * z)

    def recompute(z):
        return 1.0 if z > 0.0 else slope

    def recompute_array(z):
        return m.where(z > 0.0, m.ones_like(z), slope)

    def cached(y):
        return 1.0 if y > 0.0 else slope

    def cached_array(y):
        return m.where(y > 0.0, m.ones_like(y), slope)

    formulas = Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        kinks={0.0: slope},
        at_nan=slope,
        uncached="every y above 0 comes from two different z" if slope < 0.0 else None,
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
    )
    from_y = Piecewise(scalar=cached, array=cached_array)
    return formulas if slope < 0.0 else formulas.with_strategy("cached", from_y)
