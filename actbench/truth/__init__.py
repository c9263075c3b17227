"""The truth about an activation: g' and g at any z, as numbers beside a format.

By mpmath where the activation's definition can be evaluated there. A user's own function may call numpy or scipy, which
know no numbers of mpmath: then g' is known from differences of the forward function in float64, to fewer digits, and
how many these are is estimated with it. What is not known counts as no error of a kernel's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from actbench import activations
from actbench.by_name import by_name
from actbench.errors import BenchmarkError
from actbench.formula import Dialect
from actbench.loading import evaluating
from actbench.residuals import split
from actbench.truth import differences, exact

Array = NDArray[Any]

SAFETY = 10.0
"""How many times its estimated error a difference may be off."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Real numbers beside a format: the nearest number of the format, and what is left, in ULP of it."""

    nearest: Array
    rest: Array
    ulp: Array
    slack: Array | None = None
    """By how many ULP these numbers may be off themselves, inf where nothing is known; None where they are exact."""
    digits: float | None = None
    """To how many digits they are known, typically, where they are not exact."""

    def at(self, mask: Array) -> Truth:
        """Return the numbers that a boolean array picks."""
        slack = None if self.slack is None else self.slack[mask]
        return Truth(self.nearest[mask], self.rest[mask], self.ulp[mask], slack, self.digits)

    def error(self, computed: Array) -> Array:
        """Return |computed - truth| in ULP, float64; inf where one of them is finite and the other is not.

        Where the truth is not exact, what it may be off itself is no error.
        """
        error = np.abs(self.signed(computed))
        if self.slack is None:
            return error
        known = np.isfinite(self.slack)
        return np.where(known, np.maximum(error - np.where(known, self.slack, 0.0), 0.0), 0.0)

    def signed(self, computed: Array) -> Array:
        """Return computed - truth in ULP, float64: below 0 where the computed value is too low."""
        with np.errstate(all="ignore"):
            distance = (computed.astype(np.float64) - self.nearest.astype(np.float64)) / self.ulp
        right = np.isinf(self.nearest) & (computed == self.nearest) | np.isnan(self.nearest) & np.isnan(computed)
        return np.where(np.isfinite(distance), distance - self.rest, np.where(right, 0.0, np.inf))

    def absolute(self, computed: Array) -> Array:
        """Return |computed - truth| in eps of the format: absolute, not relative, error."""
        eps = float(np.finfo(self.nearest.dtype).eps)
        error = self.error(computed)
        with np.errstate(all="ignore"):
            apart = np.abs(computed.astype(np.float64) - self.nearest.astype(np.float64)) / eps  # its ULP may overflow
            apart = np.where(np.isnan(apart), np.inf, apart)
            return np.where(np.isfinite(error), error * (self.ulp / eps), apart)


@by_name
@cache
@evaluating
def obstacle(activation: str) -> str | None:
    """Say why the definition of an activation cannot be evaluated in mpmath, or None when it can."""
    return exact.obstacle(activations.get(activation))


@evaluating
def truth_at(activation: str, z: Array) -> tuple[Truth, Truth]:
    """Return g' and y at any finite z of a format; `BenchmarkError` where g raises instead of giving a number."""
    chosen = activations.get(activation)
    if obstacle(activation) is None:
        slopes = exact.slopes(chosen, z)
        outputs = exact.outputs(chosen, z, [slope.digits for slope in slopes])
        return beside([slope.value for slope in slopes], z.dtype), beside(outputs, z.dtype)
    at = z.astype(np.float64)
    found = differences.differentiate(differences.forward(chosen), at, dict(chosen.formulas.kinks))
    slope, output = beside(list(found.slope), z.dtype), beside(list(found.output), z.dtype)
    with np.errstate(over="ignore"):
        slack = [SAFETY * found.error / slope.ulp, SAFETY * found.noise / output.ulp]
    return (
        Truth(slope.nearest, slope.rest, slope.ulp, slack[0], found.digits),
        Truth(output.nearest, output.rest, output.ulp, slack[1], found.digits),
    )


@evaluating
def slopes_at(activation: str, z: Array) -> Truth:
    """Return g' alone, which takes half the time of both."""
    if obstacle(activation) is None:
        return beside([slope.value for slope in exact.slopes(activations.get(activation), z)], z.dtype)
    return truth_at(activation, z)[0]


@evaluating
def residuals_at(activation: str, strategy: str, z: Array, y: Callable[[], Truth]) -> dict[str, Array]:
    """Return what a strategy keeps at any finite z, correctly rounded to the format of z; `y` gives the output there.

    Where it is kept in a narrower type, that is rounded once more by who keeps it.
    """
    plain, _ = split(strategy)
    chosen = activations.get(activation).rule(plain, Dialect.SCALAR, mpmath.mp)
    known = {"z": z} | ({"y": y().nearest} if "y" in chosen.residuals else {})
    if reason := obstacle(activation):
        raise BenchmarkError(f"{activation} has no exact residuals: mpmath cannot evaluate it ({reason})")
    if chosen.save:
        with mpmath.workdps(exact.FEW_DIGITS):
            kept = zip(*(chosen.save(mpmath.mpf(float(each)))[1:] for each in z), strict=True)
            rounded = [beside(numbers, z.dtype).nearest for numbers in kept]
        known |= dict(zip(chosen.saved, rounded, strict=True))
    return {name: known[name] for name in chosen.residuals}


@evaluating
def slope_at(activation: str, z: float) -> Any:
    """Return g'(z) as a number of mpmath; `BenchmarkError` where mpmath cannot evaluate it."""
    if reason := obstacle(activation):
        raise BenchmarkError(f"g' of {activation} is not known exactly: mpmath cannot evaluate it ({reason})")
    (slope,) = exact.slopes(activations.get(activation), np.array([z]))
    return slope.value


def beside(numbers: Sequence[Any], dtype: np.dtype[Any]) -> Truth:
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
