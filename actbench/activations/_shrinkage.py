"""What shrinkages have in common: g is 0 within the threshold, and g' is 1 beyond it, which the output tells."""

from __future__ import annotations

from typing import Any

from actbench.activations._places import place
from actbench.formula import Formulas, Piecewise
from actbench.model.rule import Formula


def shrinkage(m: Any, threshold: float, forward: Formula, forward_array: Formula) -> Formulas:
    """Return the formulas of a shrinkage, given its two forward functions; `ValueError` for an unsuitable threshold."""
    place("threshold", threshold, positive=True)

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
        without_second="g' is piecewise constant, and g'' is 0 wherever it exists",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
        cached=Piecewise(scalar=cached, array=cached_array),
    )
