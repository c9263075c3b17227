"""What is lost of z where it is read from a square of it, near 0."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any


def lost_of_square(scale: float) -> Callable[[Any, Any], Any]:
    """Return the factor, of z and a format, by which a rounding of y = z^2 / scale is amplified in a root of it.

    A subnormal y has few digits, and none where a backend takes it for 0.
    """

    def factor(z: Any, fmt: Any) -> Any:
        tiny = float(fmt.tiny)
        few = scale * (sqrt(tiny) / (abs(z) + tiny)) ** 2
        return few + (abs(z) < sqrt(scale * tiny)) / float(fmt.eps)

    return factor
