"""Real numbers, such as g'(z), beside a floating-point format: how far what was computed is from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from actbench.formula import Formula

Array = NDArray[Any]

DIGITS = 420
"""Decimal digits of the truth. At z = 745 the output is 1 - 1e-324, and 20 digits of its change over 1e-40 are wanted;
at z = 1e308 the neighbour 1e-40 away must differ from z at all."""

FEW_DIGITS = 100
"""Decimal digits that are tried first: the change over 1e-40 keeps 20 of them where g' / g is above 1e-35 or so."""

KEPT_BITS = 80
"""Bits of a difference that must be left after cancellation: more than any format has."""

NEAR_0 = 1e30
"""Up to which |z| a neighbour 1e-40 away is known well enough in `FEW_DIGITS`."""

STEP = 1e-40
"""Half width of the central difference; its error is of the order of the square."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Real numbers beside a format: the nearest number of the format, and what is left, in ULP of it."""

    nearest: Array
    rest: Array
    ulp: Array

    def error(self, computed: Array) -> Array:
        """Return |computed - truth| in ULP, float64; inf where only one of them is finite, or a number at all."""
        return np.abs(self.signed(computed))

    def signed(self, computed: Array) -> Array:
        """Return computed - truth in ULP, float64: below 0 where the computed value is too low."""
        with np.errstate(all="ignore"):
            distance = (computed.astype(np.float64) - self.nearest.astype(np.float64)) / self.ulp
        right = np.isinf(self.nearest) & (computed == self.nearest) | np.isnan(self.nearest) & np.isnan(computed)
        return np.where(np.isfinite(distance), distance - self.rest, np.where(right, 0.0, np.inf))

    def absolute(self, computed: Array) -> Array:
        """Return |computed - truth| in eps of the format: absolute, not relative, error."""
        eps = float(np.finfo(self.nearest.dtype).eps)
        with np.errstate(all="ignore"):
            return np.asarray(self.error(computed) * (self.ulp / eps))


def beside(numbers: list[Any], dtype: np.dtype[Any]) -> Truth:
    """Return numbers of mpmath, or floats, beside a format; NaN where there is none."""
    with np.errstate(over="ignore", invalid="ignore"):  # the largest finite number has no neighbour above
        nearest = np.array([_to_float(number) for number in numbers]).astype(dtype)
        ulp = np.fmin(np.spacing(np.abs(nearest)), np.finfo(dtype).max).astype(np.float64)
    rest = [
        float((number - mpmath.mpf(float(near))) / mpmath.mpf(unit)) if np.isfinite(near) else 0.0
        for number, near, unit in zip(numbers, nearest, ulp, strict=True)
    ]
    return Truth(nearest, np.array(rest), ulp)


def _to_float(number: Any) -> float:
    """Return the nearest float64: inf beyond its largest, NaN for what is no number."""
    if mpmath.isnan(number):
        return math.nan
    largest = np.finfo(np.float64).max
    return float(number) if abs(number) <= largest else math.inf if number > 0 else -math.inf


def slope_and_output(definition: Formula, z: float, kinks: dict[float, float]) -> tuple[Any, Any]:
    """Return g'(z) and g(z) as numbers of mpmath."""
    if z in kinks:
        with mpmath.workdps(FEW_DIGITS):
            return mpmath.mpf(kinks[z]), definition(mpmath.mpf(z))
    room = min([2 * STEP, *(abs(z - kink) for kink in kinks)])
    for digits in (FEW_DIGITS, DIGITS) if abs(z) < NEAR_0 else (DIGITS,):
        with mpmath.workdps(digits):
            at, step = mpmath.mpf(z), mpmath.mpf(room) / 2
            above, below = definition(at + step), definition(at - step)
            change = above - below
            if digits == DIGITS or mpmath.mag(change) - mpmath.mag(above) + mpmath.mp.prec > KEPT_BITS:
                return change / (2 * step), definition(at)
    raise AssertionError("the widest arithmetic is always taken")
