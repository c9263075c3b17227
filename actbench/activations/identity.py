"""The identity, y = z: the lower limit. Its derivative is a constant, so only the price of a call is timed."""

from __future__ import annotations

from typing import Any

from actbench.formula import Formulas, Piecewise, activation


@activation
def identity(m: Any) -> Formulas:
    """z

    B. Widrow and M. E. Hoff, "Adaptive Switching Circuits", 1960.
    """

    def forward(z):
        return z

    def forward_array(z):
        return m.copy(z)

    def recompute(z):  # noqa: ARG001  # the parameter says that the shape of z is kept
        return 1.0

    def recompute_array(z):
        return m.ones_like(z)

    return Formulas(
        forward=Piecewise(scalar=forward, array=forward_array),
        at_nan=1.0,
        uncached="nothing need be kept",
        without_second="g' is a constant, and g'' is 0",
        recompute=Piecewise(scalar=recompute, array=recompute_array),
    )
