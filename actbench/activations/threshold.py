"""The threshold function: z above it, else a constant; g' is 1 or 0."""

from __future__ import annotations

from math import inf
from typing import Any

from actbench.activations._places import place
from actbench.formula import Formulas, Piecewise, activation


@activation
def threshold(m: Any, threshold: float = 1.0, value: float = 0.0) -> Formulas:
    """z where z > threshold, else value

    A. Konda, R. Memisevic and D. Krueger, "Zero-Bias Autoencoders and the Benefits of Co-Adapting Features", 2014.
    """
    place("threshold", threshold)
    place("value", value)

    def forward(z):
        return value if z <= threshold else z

    def forward_array(z):
        return m.where(z <= threshold, value, z)

    def recompute(z):
        return 1.0 if z > threshold else 0.0

    def recompute_array(z):
        return m.where(z > threshold, m.ones_like(z), 0.0)

    def cached(y):
        return 1.0 if y > threshold else 0.0

    def cached_array(y):
        return m.where(y > threshold, m.ones_like(y), 0.0)

    tells = value <= threshold
    formulas = Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        range=(min(value, threshold), inf),
        kinks={threshold: 0.0},
        at_nan=0.0,
        uncached=None if tells else f"y = {value:g} comes from that z and from all up to {threshold:g}",
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
    )
    from_y = Piecewise(scalar=cached, array=cached_array)
    return formulas.with_strategy("cached", from_y) if tells else formulas
