"""g' by differences of the forward function in float64, where nothing better can be had, and how far it may be off.

Central differences of eighth order, with steps that are powers of 2, so that no argument is rounded; two neighbouring
steps give one of tenth order (Richardson). Large steps err by what they leave out, small ones by rounding: at every z
the step is taken with which the estimate of both is least. A stencil never reaches over a declared kink; where none
fits beside it, g' counts as not known.
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
"""Of f(z + k h) - f(z - k h), k = 1, 2, 3, 4."""

REACH = len(WEIGHTS)

GAIN = 2.0**8 - 1
"""What halving the step takes off an error of eighth order, less 1."""

LEVELS = range(2, 30)
"""Steps are 2^-level of the power of 2 above |z|, or above 1."""

EXACT = 16
"""ULP of z that a step must have, so that no argument of a stencil is rounded."""

EPS = float(np.finfo(np.float64).eps)

TINY = float(np.finfo(np.float64).tiny)
"""What any difference may be off: a function that is 0 in float64 may be next to nothing."""

NEIGHBOUR = 40
"""Level of the step over which a smooth function is a straight line: what is left of second differences is noise."""

SIDES = (16, 20)
"""Levels of the two steps of one-sided differences: what two sides are apart by at a kink stays, and shrinks else."""

WIDELY = 1 / 8
"""Step over which the function's own size and steepness are taken, in parts of the power of 2 above |z|."""

JUMP = 1e-9
"""What the values on two sides are apart by at least where a function jumps, relative to its size around."""

BEND = 1e-4
"""What the slopes on two sides are apart by at least at a kink, relative to the function's steepness around."""

NOISE = 64.0
"""How many times eps slopes may be off by rounding, relative to the function's size over the step."""

ORDINARY = (0.75, -0.75, 0.0)
"""Where a forward function is tried."""

TYPICAL = 3.0
"""Digits that must be known of g' at half of all z: with fewer, a wrong derivative could pass for a right one."""


@dataclass(frozen=True, slots=True)
class Differences:
    """g' and g in float64, and how far they may be off."""

    slope: Array
    error: Array
    """Estimated, absolute; inf where g' is not known."""
    output: Array
    noise: Array
    """Of the output, by rounding; absolute."""

    @property
    def digits(self) -> float | None:
        """The decimal digits of g' that are known at half of the z where it is neither 0 nor unknown.

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
            raise BenchmarkError(
                f"the forward function gives complex numbers, as at z = {at:.9g}: let it give real ones"
            )
        return y

    return real


def over_arrays(array: Formula, scalar: Formula) -> Callable[..., Array]:
    """Return a formula as a function of arrays: in the array dialect, or the scalar one where that takes no arrays.

    The function returns float64, or complex128 where the formula returns complex numbers.
    """

    def call(*residuals: Array) -> Array:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = _numbers(array(*residuals))
            except Exception:  # noqa: BLE001  # it may take numbers only, or call what numpy lacks
                result = _numbers([_one(scalar, numbers) for numbers in zip(*residuals, strict=True)])
        return np.broadcast_to(result, residuals[0].shape)

    return call


def differentiate(function: Callable[..., Array], z: Array, kinks: Mapping[float, float]) -> Differences:
    """Return g' at every z; `BenchmarkError` where the function raises, or differences do not settle."""
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
    """Say what the forward function raises for an ordinary number, or None where it raises nothing."""
    scalar = activation.forward(Dialect.SCALAR, backends.namespace("python"))
    for z in ORDINARY:
        try:
            scalar(z)
        except Exception as error:  # noqa: BLE001  # the user's code may raise anything
            return f"the forward function raises {type(error).__name__} at z = {z:g}: {error}".splitlines()[0]
    return None


def sides(function: Callable[..., Array], z: float) -> Sides:
    """Return what g does on either side of z, by one-sided differences at two distances."""
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
    """Differentiate on one side at a time; values are where straight lines through what lies on a side meet z."""
    y = [float(value) for value in function(z + step * np.arange(-2, 3))]
    left, right = (3 * y[2] - 4 * y[1] + y[0]) / (2 * step), (4 * y[3] - 3 * y[2] - y[4]) / (2 * step)
    return _Extrapolated(left, right, 2 * y[1] - y[0], 2 * y[3] - y[4])


def _apart(far_left: float, far_right: float, near_left: float, near_right: float, least: float) -> bool:
    """Say whether two sides stay apart as one comes nearer, by more than rounding makes of them."""
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
    """Return the central difference of eighth order, and the largest of the values that it is made of."""
    total, size = np.zeros(z.shape), np.zeros(z.shape)
    for number, weight in enumerate(WEIGHTS, start=1):
        above, below = function(z + number * step), function(z - number * step)
        total = total + weight * (above - below)
        size = np.maximum(size, np.maximum(np.abs(above), np.abs(below)))
    return total / step, size


def _noise(function: Callable[..., Array], z: Array, output: Array) -> Array:
    """Return what neighbouring values scatter by, and half a ULP at least."""
    with np.errstate(all="ignore"):
        step = np.maximum(np.ldexp(1.0, _exponent(z) - NEIGHBOUR), EXACT * np.spacing(np.abs(z)))
        bends = [np.abs(function(z + number * step) - 2 * output + function(z - number * step)) for number in (1, 2, 3)]
        scatter = np.max(bends, axis=0) / 2
        return np.asarray(np.where(np.isfinite(scatter), np.maximum(scatter, EPS * np.abs(output)), np.inf))


def _exponent(z: Array) -> Array:
    """Return the exponent of the power of 2 above |z|, and of 1 at least."""
    return np.asarray(np.frexp(np.maximum(np.abs(z), 0.5))[1])


def _numbers(values: Any) -> Array:
    """Return an array of float64, or of complex128 where there are complex numbers."""
    array = np.asarray(values)
    return array if np.iscomplexobj(array) else array.astype(np.float64)


def _one(scalar: Formula, numbers: tuple[Any, ...]) -> complex:
    try:
        value = scalar(*map(float, numbers))
        return value if isinstance(value, complex) else float(value)
    except (ArithmeticError, ValueError):
        return np.nan
