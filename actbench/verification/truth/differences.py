"""g' by differences of the forward function in float64, for functions that mpmath cannot evaluate, with error bounds.

The differences are central ones of eighth order, with steps that are powers of 2, so that no argument is rounded. Two
neighbouring steps give a difference of tenth order (Richardson). Large steps have a truncation error, small ones a
rounding error; at every z the step with the least estimate of both is taken. A stencil never crosses a declared kink;
where none fits beside the kink, g' counts as unknown. A function with waves that are shorter than its arguments are
apart looks like another one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench import backends
from actbench.errors import BenchmarkError
from actbench.formula import Activation
from actbench.model.rule import Dialect, Formula
from actbench.verification.truth.sides import Sides

Array = NDArray[Any]

WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
"""Weights of f(z + k h) - f(z - k h), k = 1, 2, 3, 4."""

REACH = len(WEIGHTS)

GAIN = 2.0**8 - 1
"""Factor by which halving the step reduces an error of eighth order, less 1."""

LEVELS = range(2, 30)
"""Steps are 2^-level of the power of 2 above |z|, or above 1."""

EXACT = 16
"""Least size of a step in ULP of z, so that no argument of a stencil is rounded."""

EPS = float(np.finfo(np.float64).eps)

TINY = float(np.finfo(np.float64).tiny)
"""Least error of any difference: a function that is 0 in float64 may have underflowed."""

NEIGHBOUR = 40
"""Level of a step over which a smooth function is a straight line, so that second differences are noise."""

SIDES = (16, 20)
"""Levels of the two steps of one-sided differences: the difference of the sides stays at a kink, and else shrinks."""

WIDELY = 1 / 8
"""Step over which the function's size and steepness are measured, relative to the power of 2 above |z|."""

JUMP = 1e-9
"""Least difference of the values on two sides where a function jumps, relative to its size around."""

BEND = 1e-4
"""Least difference of the slopes on two sides at a kink, relative to the function's steepness around."""

NOISE = 64.0
"""Rounding error of slopes in eps, relative to the function's size over the step."""

ORDINARY = (0.75, -0.75, 0.0)
"""Numbers at which a forward function is tried."""

TYPICAL = 3.0
"""Digits of g' that must be known at half of all z: with fewer, a wrong derivative could pass for a right one."""


@dataclass(frozen=True, slots=True)
class Differences:
    """g' and g in float64, with their uncertainty."""

    slope: Array
    error: Array
    """Estimated, absolute; inf where g' is unknown."""
    output: Array
    noise: Array
    """Rounding error of the output, absolute."""

    @property
    def digits(self) -> float | None:
        """The median number of decimal digits to which g' is known, where g' is neither 0 nor unknown.

        None where there is no such z.
        """
        with np.errstate(all="ignore"):
            known = -np.log10(self.error / np.abs(self.slope))
        known = known[np.isfinite(known)]
        return round(float(np.median(np.clip(known, 0.0, 16.0))), 1) if known.size else None


def forward(activation: Activation) -> Callable[..., Array]:
    """Return the forward function over arrays of float64."""
    array = activation.forward(Dialect.ARRAY, backends.namespace("numpy"))
    function = over_arrays(array, activation.forward(Dialect.SCALAR, backends.namespace("python")))

    def real(z: Array) -> Array:
        y = function(z)
        if np.iscomplexobj(y):
            at = z[np.argmax(np.imag(y) != 0)]
            raise BenchmarkError(f"the forward function returns complex numbers, as at z = {at:.9g}: return real ones")
        return y

    return real


def over_arrays(array: Formula, scalar: Formula) -> Callable[..., Array]:
    """Return a formula as a function of arrays: in the array dialect, or in the scalar one where that rejects arrays.

    The function returns float64, or complex128 where the formula returns complex numbers.
    """

    def call(*residuals: Array) -> Array:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = _numbers(array(*residuals))
            except Exception:  # noqa: BLE001  # it may accept numbers only, or call a function that numpy lacks
                result = _numbers([_one(scalar, numbers) for numbers in zip(*residuals, strict=True)])
        return np.broadcast_to(result, residuals[0].shape)

    return call


def differentiate(function: Callable[..., Array], z: Array, kinks: Mapping[float, float]) -> Differences:
    """Return g' at every z; `BenchmarkError` where the function raises, or differences do not converge."""
    try:
        with np.errstate(all="ignore"):
            slopes = _differentiated(function, z, kinks)
    except BenchmarkError:
        raise
    except Exception as error:  # noqa: BLE001  # the user's code may raise anything
        raise BenchmarkError(f"the forward function raises {type(error).__name__}: {error}".splitlines()[0]) from None
    if slopes.digits is not None and slopes.digits < TYPICAL:
        raise BenchmarkError(
            f"differences of the forward function give only {slopes.digits:g} digits of g' at half of all z: is it "
            "continuous, and computed in float64?"
        )
    return slopes


def complaint(activation: Activation) -> str | None:
    """Return what the forward function raises for an ordinary number, or None where it raises nothing."""
    scalar = activation.forward(Dialect.SCALAR, backends.namespace("python"))
    for z in ORDINARY:
        try:
            scalar(z)
        except Exception as error:  # noqa: BLE001  # the user's code may raise anything
            return f"the forward function raises {type(error).__name__} at z = {z:g}: {error}".splitlines()[0]
    return None


def sides(function: Callable[..., Array], z: float) -> Sides:
    """Return the behaviour of g on either side of z, by one-sided differences at two distances."""
    unit = float(np.ldexp(1.0, _exponent(np.array([z]))[0]))
    far, near = (_beside(function, z, unit * 2.0**-level) for level in SIDES)
    with np.errstate(all="ignore"):
        around = function(z + unit * WIDELY * np.array([-1.0, 0.0, 1.0]))
        size = np.max(np.abs(around))
        steepness = np.max(np.abs(np.diff(around))) / (unit * WIDELY)
        noise = NOISE * EPS * size / (unit * 2.0 ** -SIDES[1])
    return Sides(
        near.left,
        near.right,
        near.before,
        near.after,
        jumps=_apart(far.before, far.after, near.before, near.after, JUMP * size),
        bends=_apart(far.left, far.right, near.left, near.right, max(BEND * steepness, noise)),
    )


class _Extrapolated(NamedTuple):
    """Slopes and values just before and after a z."""

    left: float
    right: float
    before: float
    after: float


def _beside(function: Callable[..., Array], z: float, step: float) -> _Extrapolated:
    """Return one-sided slopes at z, and the values at z of straight lines through two points on each side."""
    y = [float(value) for value in function(z + step * np.arange(-2, 3))]
    left, right = (3 * y[2] - 4 * y[1] + y[0]) / (2 * step), (4 * y[3] - 3 * y[2] - y[4]) / (2 * step)
    return _Extrapolated(left, right, 2 * y[1] - y[0], 2 * y[3] - y[4])


def _apart(far_left: float, far_right: float, near_left: float, near_right: float, least: float) -> bool:
    """Return whether two sides stay apart as the step shrinks, by more than rounding explains."""
    apart = abs(near_right - near_left)
    return bool(apart > abs(far_right - far_left) / 2 and apart > least)


def _differentiated(function: Callable[..., Array], z: Array, kinks: Mapping[float, float]) -> Differences:
    output = function(z)
    noise = _noise(function, z, output)
    room = np.min([np.full(z.shape, np.inf), *(np.abs(z - kink) for kink in kinks)], axis=0)
    slope, error = np.zeros(z.shape), np.full(z.shape, np.inf)
    coarse = previous = np.full(z.shape, np.nan)
    for level in LEVELS:
        step = np.ldexp(1.0, _exponent(z) - level)
        fine, size = _central(function, z, step)
        better = fine + (fine - coarse) / GAIN
        off = np.abs(better - previous) + np.maximum(EPS * size, noise) / step + TINY
        usable = (2 * REACH * step <= room) & (step >= EXACT * np.spacing(np.abs(z)))
        take = usable & (np.where(np.isfinite(off), off, np.inf) < error)
        slope, error = np.where(take, better, slope), np.where(take, off, error)
        fitting = REACH * step <= room
        coarse, previous = np.where(fitting, fine, np.nan), np.where(fitting, better, np.nan)
    for kink, declared in kinks.items():
        slope, error = np.where(z == kink, declared, slope), np.where(z == kink, 0.0, error)
    return Differences(slope, error, output, noise)


def _central(function: Callable[..., Array], z: Array, step: Array) -> tuple[Array, Array]:
    """Return the central difference of eighth order, and the largest |f| of its stencil."""
    total, size = np.zeros(z.shape), np.zeros(z.shape)
    for number, weight in enumerate(WEIGHTS, start=1):
        above, below = function(z + number * step), function(z - number * step)
        total = total + weight * (above - below)
        size = np.maximum(size, np.maximum(np.abs(above), np.abs(below)))
    return total / step, size


def _noise(function: Callable[..., Array], z: Array, output: Array) -> Array:
    """Return the scatter of neighbouring values, at least half a ULP."""
    with np.errstate(all="ignore"):
        step = np.maximum(np.ldexp(1.0, _exponent(z) - NEIGHBOUR), EXACT * np.spacing(np.abs(z)))
        bends = [np.abs(function(z + number * step) - 2 * output + function(z - number * step)) for number in (1, 2, 3)]
        scatter = np.max(bends, axis=0) / 2
        return np.asarray(np.where(np.isfinite(scatter), np.maximum(scatter, EPS * np.abs(output)), np.inf))


def _exponent(z: Array) -> Array:
    """Return the exponent of the power of 2 above max(|z|, 1/2)."""
    return np.asarray(np.frexp(np.maximum(np.abs(z), 0.5))[1])


def _numbers(values: Any) -> Array:
    """Return an array of float64, or of complex128 where some values are complex."""
    array = np.asarray(values)
    return array if np.iscomplexobj(array) else array.astype(np.float64)


def _one(scalar: Formula, numbers: tuple[Any, ...]) -> complex:
    try:
        value = scalar(*map(float, numbers))
        return value if isinstance(value, complex) else float(value)
    except (ArithmeticError, ValueError):
        return np.nan
