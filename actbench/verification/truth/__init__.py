"""The truth about an activation: g' and g at any z, rounded to a format, with the rounding error.

mpmath evaluates the truth where the activation's definition accepts mpmath's numbers. A user's function that calls
numpy or scipy does not accept them. Then g' comes from differences of the forward function in float64, to fewer digits,
and the number of digits is estimated. Where the truth is unknown, a kernel does not count as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from actbench.errors import BenchmarkError
from actbench.formula import Activation
from actbench.model.number_formats import limits
from actbench.model.rule import Dialect
from actbench.plugins import evaluating
from actbench.verification.truth import differences, exact
from actbench.verification.truth.elementwise import dependence
from actbench.verification.truth.exact import Exact
from actbench.verification.truth.points import Point
from actbench.verification.truth.rounding import rest, to_float
from actbench.verification.truth.sides import Sides

__all__ = [
    "SAFETY",
    "Array",
    "Truth",
    "dependence",
    "differences",
    "nearest_to",
    "points_at",
    "residuals_at",
    "sides_at",
    "slope_at",
    "slopes_at",
    "truth_at",
    "unsupported",
    "why_unknown",
]

Array = NDArray[Any]

SAFETY = 10.0
"""Allowed error of a difference, as a multiple of its estimated error."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Real numbers near those of a format: the nearest number of the format, and the rest, in ULP of the format."""

    nearest: Array
    rest: Array
    ulp: Array
    slack: Array | None = None
    """Uncertainty of these numbers in ULP, inf where nothing is known; None where they are exact."""
    digits: float | None = None
    """Typical number of digits that are known, where the numbers are not exact."""

    @property
    def known(self) -> Array:
        """Where the truth is known, as a boolean array."""
        return np.ones(self.nearest.shape, dtype=bool) if self.slack is None else np.isfinite(self.slack)

    def at(self, mask: Array) -> Truth:
        """Return the numbers that a boolean array selects."""
        slack = None if self.slack is None else self.slack[mask]
        return Truth(self.nearest[mask], self.rest[mask], self.ulp[mask], slack, self.digits)

    def error(self, computed: Array) -> Array:
        """Return |computed - truth| in ULP, float64; inf where one of them is finite and the other is not.

        Where the truth is not exact, its uncertainty does not count as error.
        """
        error = np.abs(self.signed(computed))
        if self.slack is None:
            return error
        return np.where(self.known, np.maximum(error - np.where(self.known, self.slack, 0.0), 0.0), 0.0)

    def signed(self, computed: Array) -> Array:
        """Return computed - truth in ULP, float64; negative where the computed value is too low."""
        with np.errstate(all="ignore"):
            distance = (computed.astype(np.float64) - self.nearest.astype(np.float64)) / self.ulp
        right = np.isinf(self.nearest) & (computed == self.nearest) | np.isnan(self.nearest) & np.isnan(computed)
        return np.where(np.isfinite(distance), distance - self.rest, np.where(right, 0.0, np.inf))

    def absolute(self, computed: Array) -> Array:
        """Return |computed - truth| in eps of the format: the absolute error, not the relative one."""
        eps = float(limits(self.nearest.dtype).eps)
        error = self.error(computed)
        with np.errstate(all="ignore"):
            apart = np.abs(computed.astype(np.float64) - self.nearest.astype(np.float64)) / eps  # the ULP may overflow
            apart = np.where(np.isnan(apart), np.inf, apart)
            return np.where(np.isfinite(error), error * (self.ulp / eps), apart)


@cache
@evaluating
def unsupported(activation: Activation) -> str | None:
    """Return why mpmath cannot evaluate the definition of an activation, or None where it can."""
    return exact.unsupported(activation)


@cache
def _exact(activation: Activation) -> Exact:
    return Exact(activation)


@evaluating
def points_at(activation: Activation, z: Array) -> list[Point]:
    """Return g' and g at any finite z as numbers of mpmath, which can evaluate the definition (`unsupported`)."""
    return _exact(activation).at(z)


@evaluating
def truth_at(activation: Activation, z: Array) -> tuple[Truth, Truth]:
    """Return g' and y at any finite z of a format; g'' and g' of an activation with g'' in place of g'.

    `BenchmarkError` where g raises instead of returning a number, or depends on more than one z, and for a g'' that
    mpmath cannot evaluate: differences of float64 leave too few digits of it.
    """
    if dependent := dependence(activation):
        raise BenchmarkError(dependent)
    if activation.first and (reason := unsupported(activation)):
        raise BenchmarkError(
            f"g'' of {activation.name} is not known: mpmath cannot evaluate it ({reason}); write the definition with "
            "functions of m that have a derivative (definition=...)"
        )
    if unsupported(activation) is None:
        points = _exact(activation).at(z)
        return nearest_to([point.slope for point in points], z.dtype), nearest_to(
            [point.output for point in points], z.dtype
        )
    at = z.astype(np.float64)
    result = differences.differentiate(differences.forward(activation), at, dict(activation.formulas.kinks))
    slope, output = nearest_to(list(result.slope), z.dtype), nearest_to(list(result.output), z.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        slack = [SAFETY * result.error / slope.ulp, SAFETY * result.noise / output.ulp]
    return (
        Truth(slope.nearest, slope.rest, slope.ulp, slack[0], result.digits),
        Truth(output.nearest, output.rest, output.ulp, slack[1], result.digits),
    )


@evaluating
def slopes_at(activation: Activation, z: Array) -> Truth:
    """Return only g'."""
    return truth_at(activation, z)[0]


@evaluating
def why_unknown(activation: Activation) -> str:
    """Return why little is known of g'."""
    complaint = None if unsupported(activation) is None else differences.complaint(activation)
    return complaint or "the forward function gives no real number elsewhere"


@evaluating
def sides_at(activation: Activation, z: float) -> Sides | None:
    """Return the behaviour of g on either side of z; None where it is unknown."""
    if unsupported(activation) is None:
        return _exact(activation).sides(z)
    return differences.sides(differences.forward(activation), z)


@evaluating
def residuals_at(activation: Activation, strategy: str, z: Array, y: Callable[[], Truth]) -> dict[str, Array]:
    """Return the residuals of a strategy at any finite z, correctly rounded to the format of z; `y` gives the output.

    A caller that stores a residual in a narrower type rounds it once more.
    """
    rule = activation.rule(strategy, Dialect.SCALAR, mpmath.mp)
    known = {"z": z} | ({"y": y().nearest} if "y" in rule.residuals else {})
    if reason := unsupported(activation):
        raise BenchmarkError(f"{activation.name} has no exact residuals: mpmath cannot evaluate it ({reason})")
    if rule.save:
        saved = exact.saved(lambda m: activation.rule(strategy, Dialect.SCALAR, m).save, len(rule.saved), z)
        known |= {name: nearest_to(numbers, z.dtype).nearest for name, numbers in zip(rule.saved, saved, strict=True)}
    return {name: known[name] for name in rule.residuals}


@evaluating
def slope_at(activation: Activation, z: float) -> Any:
    """Return g'(z) as a number of mpmath.

    `BenchmarkError` where mpmath cannot evaluate it, `ArithmeticError` where it is unknown.
    """
    if reason := unsupported(activation):
        raise BenchmarkError(f"g' of {activation.name} is not known exactly: mpmath cannot evaluate it ({reason})")
    (point,) = _exact(activation).at(np.array([z]))
    if point.slope is None:
        raise ArithmeticError(f"g' of {activation.name} is not known at z = {z:.9g}")
    return point.slope


def nearest_to(numbers: Sequence[Any], dtype: np.dtype[Any]) -> Truth:
    """Return the floats nearest to numbers of mpmath or floats, with the rest; None is an unknown number."""
    with np.errstate(over="ignore", invalid="ignore"):  # the largest finite number has no neighbour above
        nearest = np.array([to_float(number) for number in numbers]).astype(dtype)
        ulp = np.fmin(np.spacing(np.abs(nearest)), limits(dtype).max).astype(np.float64)
    values, units = nearest.astype(np.float64).tolist(), ulp.tolist()
    left = [rest(number, value, unit) for number, value, unit in zip(numbers, values, units, strict=True)]
    unknown = np.array([number is None for number in numbers], dtype=bool)
    return Truth(nearest, np.array(left), ulp, np.where(unknown, np.inf, 0.0) if unknown.any() else None)
