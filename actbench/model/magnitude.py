"""Parameters that multiply g or z: how large they may be."""

from __future__ import annotations

SMALLEST, LARGEST = 1e-20, 1e20
"""Range of a parameter in which it and its product with g or z have all digits in float32 and in float64."""


def magnitude(name: str, value: float, *, positive: bool = False) -> float:
    """Return the absolute value of a parameter that multiplies g or z; `ValueError` where a float format cannot do so.

    Unless it must be `positive`, it may be 0 or negative.
    """
    size = abs(value)
    if positive and not SMALLEST <= value <= LARGEST:
        raise ValueError(f"{name} must be between {SMALLEST:g} and {LARGEST:g}")
    if value and not SMALLEST <= size <= LARGEST:
        raise ValueError(f"{name} must be 0, or between {SMALLEST:g} and {LARGEST:g} in size")
    return size
