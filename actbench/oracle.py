"""The truth about a kernel: its error against mpmath, in units in the last place.

A wrong kernel has no speed, so every kernel of a plan is checked before anything is timed. The truth is the derivative
of the activation's *definition*, by a central difference in arithmetic so wide that the difference is exact to any
format's precision; the formulas under test have no part in it. At a kink it is what the activation declares.

A strategy must be within `STATED_ULP` of the truth everywhere, except where its declared weaknesses say that it is
not; there it must be wrong in just the way declared:

* ``cancels``: the absolute error stays below ``STATED_ULP * eps``, and somewhere exceeds what is stated elsewhere;
* ``overflows``: the call raises, or returns 0, inf or NaN;
* ``amplifies``: the error stays below ``STATED_ULP`` times the declared factor;
* ``merges``: the result is g' at the kink.

A backend may be known to flush denormal numbers: its results may then be 0, and nothing else, where the truth is next
to the smallest normal number or below. What was seen of that is told with the weaknesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from actbench import activations, backends, overhead
from actbench.errors import WrongKernelError
from actbench.formula import Flaw, Formula, Weakness
from actbench.model import Check, Dtype, Kernel, Op

Array = NDArray[Any]

STATED_ULP = 8.0
"""The accuracy every strategy has where no weakness is declared."""

DIGITS = 420
"""Decimal digits of the truth. At z = 745 the output is 1 - 1e-324, and 20 digits of its change over 1e-40 are wanted;
at z = 1e308 the neighbour 1e-40 away must differ from z at all."""

FEW_DIGITS = 100
"""Decimal digits that are tried first: the change over 1e-40 keeps 20 of them where g' / g is above 1e-35 or so."""

KEPT_BITS = 80
"""Bits of a difference that must be left after cancellation: more than any format has."""

MOST = 1e300
"""The largest factor of an error; those that an activation declares may overflow where z is large."""

NEAR_0 = 1e30
"""Up to which |z| a neighbour 1e-40 away is known well enough in `FEW_DIGITS`."""

FLUSHED = 4.0
"""Smallest normal numbers: a result below may come of a denormal intermediate, as tanh's 4 e^-2|z| does."""

STEP = 1e-40
"""Half width of the central difference; its error is of the order of the square."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a kernel answers for an array z and upstream gradient dy.

    ``y`` is given by a step alone. Where the call raised, the elements are NaN and `raised` says what.
    """

    derivative: Array
    y: Array | None
    raised: str | None = None


Evaluate = Callable[[Kernel, Array, Array], Evaluation]


@dataclass(frozen=True, slots=True)
class Truth:
    """Real numbers beside a format: the nearest number of the format, and what is left, in ULP of it."""

    nearest: Array
    rest: Array
    ulp: Array

    def error(self, computed: Array) -> Array:
        """Return |computed - truth| in ULP, float64; inf where one of them is finite and the other is not."""
        return np.abs(self.signed(computed))

    def signed(self, computed: Array) -> Array:
        """Return computed - truth in ULP, float64: below 0 where the computed value is too low."""
        with np.errstate(all="ignore"):
            distance = (computed.astype(np.float64) - self.nearest.astype(np.float64)) / self.ulp
        right = np.isinf(self.nearest) & (computed == self.nearest)
        return np.where(np.isfinite(distance), distance - self.rest, np.where(right, 0.0, np.inf))

    def absolute(self, computed: Array) -> Array:
        """Return |computed - truth| in eps of the format: absolute, not relative, error."""
        eps = float(np.finfo(self.nearest.dtype).eps)
        with np.errstate(all="ignore"):
            return np.asarray(self.error(computed) * (self.ulp / eps))


@cache
def grid(dtype: Dtype) -> Array:
    """Return the z at which kernels are checked: both tails, ±0, denormals, and out to the largest finite numbers."""
    fmt = np.finfo(dtype)
    vanish = -np.log(float(fmt.smallest_subnormal))  # beyond, g' of the logistic is 0 in this format
    dense = np.linspace(0.0, 1.02 * vanish, 300)
    near = np.concatenate([np.linspace(0.0, 2.0, 129), np.linspace(2.25, 40.0, 152)])
    small = np.geomspace(float(fmt.tiny), 1.0, 24)
    large = np.geomspace(vanish, float(fmt.max) / 2, 16)[1:]
    square = 2.0 * np.sqrt(float(fmt.max))  # its square overflows
    limits = np.array([float(fmt.smallest_subnormal), float(fmt.eps), 1e3, 1e4, square, float(fmt.max)])
    magnitudes = np.concatenate([dense, near, small, large, limits])
    distinct = np.unique(np.concatenate([-magnitudes, magnitudes]).astype(dtype))
    return np.concatenate([distinct[distinct != 0], np.array([-0.0, 0.0], dtype=dtype)])


@cache
def points(activation: str, dtype: Dtype) -> Array:
    """Return the z at which kernels of an activation are checked: the grid, its kinks and what is next to them."""
    fmt = np.dtype(dtype).type
    kinks = [fmt(z) for z in activations.get(activation).formulas.kinks if z != 0]
    near = [np.nextafter(kink, fmt(side)) for kink in kinks for side in (-np.inf, np.inf)]
    plain = grid(dtype)
    return np.concatenate([plain, np.setdiff1d(np.array([*kinks, *near], dtype=dtype), plain)])


@cache
def truth(activation: str, dtype: Dtype) -> tuple[Truth, Truth]:
    """Return g' and y where kernels are checked."""
    return truth_at(activation, points(activation, dtype))


def truth_at(activation: str, z: Array) -> tuple[Truth, Truth]:
    """Return g' and y at any finite z of a format."""
    formulas = activations.get(activation).build(mpmath.mp)
    kinks = dict(formulas.kinks)
    pairs = [_slope_and_output(formulas.definition, float(each), kinks) for each in z]
    return _beside([slope for slope, _ in pairs], z.dtype), _beside([output for _, output in pairs], z.dtype)


def _slope_and_output(definition: Formula, z: float, kinks: dict[float, float]) -> tuple[Any, Any]:
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


def check(kernel: Kernel, evaluate: Evaluate) -> Check:
    """Hold a kernel to the truth; `WrongKernelError` names the worst z when it is not what it says it is."""
    if kernel.is_rung:
        z = grid(kernel.dtype)
        finite = z[np.abs(z) < np.sqrt(np.finfo(z.dtype).max) / 2]
        return overhead.check(kernel, finite, evaluate(kernel, finite, finite).derivative)
    z = points(kernel.activation, kernel.dtype)
    slope, output = truth(kernel.activation, kernel.dtype)
    dy = np.resize(np.array([1.0, -2.0, 2.0, -1.0]), z.size).astype(kernel.dtype)  # exact factors
    dy[np.abs(slope.nearest) > np.finfo(z.dtype).max / 4] = 1
    answer = evaluate(kernel, z, dy)
    _check_form(kernel, answer.derivative, z)
    derivative = answer.derivative if kernel.op is Op.DERIVATIVE else answer.derivative / dy
    formulas = activations.get(kernel.activation).formulas
    weaknesses = formulas.strategies[kernel.strategy].weaknesses

    regions = _regions(weaknesses, z)
    stated = STATED_ULP * _factor(weaknesses, z)
    error = slope.error(derivative)
    flushed = _flushed(kernel, derivative, slope)
    wrong = ~(regions[Flaw.CANCELS] | regions[Flaw.OVERFLOWS] | flushed) & (error > stated)
    wrong |= regions[Flaw.CANCELS] & ~regions[Flaw.OVERFLOWS] & (slope.absolute(derivative) > stated)
    wrong &= ~(regions[Flaw.MERGES] & (derivative == _at_next_kink(formulas.kinks, z)))
    number = regions[Flaw.OVERFLOWS] & np.isfinite(derivative) & (derivative != 0)
    wrong |= number & (error > stated)
    if wrong.any():
        raise _wrong(kernel, "g'", z, derivative, slope, wrong)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            continue  # the factor is a bound, and not in every format reached
        if weakness.flaw is Flaw.OVERFLOWS and (number & _region(weakness, z)).any():
            raise _idle(kernel, weakness)
        own = _region(weakness, z) & ~(regions[Flaw.OVERFLOWS] & (weakness.flaw is Flaw.CANCELS))
        if not np.any(error[own] > STATED_ULP):
            raise _idle(kernel, weakness)
    if answer.y is not None:
        _check_form(kernel, answer.y, z)
        excused = regions[Flaw.OVERFLOWS] & np.isnan(answer.y) & (answer.raised is not None)
        stated = STATED_ULP * _factor(formulas.weaknesses, z)
        wrong = ~(excused | _flushed(kernel, answer.y, output)) & (output.error(answer.y) > stated)
        if wrong.any():
            raise _wrong(kernel, "y", z, answer.y, output, wrong)
    worst = _worst(error, z)
    largest = float(error[worst]) if np.isfinite(error[worst]) else None
    known = [weakness.why for weakness in weaknesses]
    flushes = backends.catalogue()[kernel.backend].flushes
    if flushes and np.any(error[flushed] > STATED_ULP):
        known.append(flushes)
    return Check(kernel, largest, float(z[worst]), tuple(known))


def _factor(weaknesses: tuple[Weakness, ...], z: Array) -> Array:
    """Return how many times larger than stated an error may be."""
    total = np.ones(z.size)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            declared = np.nan_to_num(_declared(weakness, z), nan=0.0)  # infinitely many, but not here: none
            total += np.clip(declared, 0.0, MOST)
    return total


def _at_next_kink(kinks: Mapping[float, float], z: Array) -> Array:
    """Return g' at the kink that is nearest to each z."""
    where = np.array([*kinks])
    if not where.size:
        return np.full(z.size, np.nan)
    nearest = np.argmin(np.abs(z.astype(np.float64)[:, np.newaxis] - where), axis=1)
    return np.asarray(np.array([*kinks.values()])[nearest])


def _beside(numbers: list[Any], dtype: np.dtype[Any]) -> Truth:
    with np.errstate(over="ignore", invalid="ignore"):  # the largest finite number has no neighbour above
        nearest = np.array([_to_float(number) for number in numbers]).astype(dtype)
        ulp = np.fmin(np.spacing(np.abs(nearest)), np.finfo(dtype).max).astype(np.float64)
    rest = [
        float((number - mpmath.mpf(float(near))) / mpmath.mpf(unit)) if np.isfinite(near) else 0.0
        for number, near, unit in zip(numbers, nearest, ulp, strict=True)
    ]
    return Truth(nearest, np.array(rest), ulp)


def _to_float(number: Any) -> float:
    """Return the nearest float64: inf beyond its largest."""
    largest = np.finfo(np.float64).max
    return float(number) if abs(number) <= largest else math.inf if number > 0 else -math.inf


def _regions(weaknesses: tuple[Weakness, ...], z: Array) -> dict[Flaw, Array]:
    regions = {flaw: np.zeros(z.size, dtype=bool) for flaw in Flaw}
    for weakness in weaknesses:
        if weakness.flaw is not Flaw.AMPLIFIES:
            regions[weakness.flaw] |= _region(weakness, z)
    return regions


def _region(weakness: Weakness, z: Array) -> Array:
    return np.asarray(_declared(weakness, z), dtype=bool)


def _declared(weakness: Weakness, z: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(weakness.where(z.astype(np.float64), np.finfo(z.dtype)))


def _flushed(kernel: Kernel, computed: Array, expected: Truth) -> Array:
    """Return where 0 stands for what is next to nothing, on a backend that is known for it."""
    little = np.abs(expected.nearest) < FLUSHED * np.finfo(kernel.dtype).tiny
    return np.asarray(little & (computed == 0) & bool(backends.catalogue()[kernel.backend].flushes))


def _idle(kernel: Kernel, weakness: Weakness) -> WrongKernelError:
    return WrongKernelError(
        f"{kernel.id} is declared to be wrong where '{weakness.why}', but is not: correct the declaration"
    )


def _check_form(kernel: Kernel, array: Array, z: Array) -> None:
    if array.dtype != kernel.dtype:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns {array.dtype} where {kernel.dtype} was asked for")
    if array.shape != z.shape:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns shape {array.shape} for an input of shape {z.shape}")


def _worst(error: Array, z: Array) -> int:
    """Return where the error is largest; of several such z the one nearest to 0."""
    return int(np.lexsort((np.abs(z), -error))[0])


def _wrong(  # noqa: PLR0913, PLR0917  # all of it is said
    kernel: Kernel, what: str, z: Array, computed: Array, expected: Truth, wrong: Array
) -> WrongKernelError:
    """Name the z where a kernel is worst; a NaN where arithmetic raised reads as nan too."""
    error = np.where(wrong, expected.error(computed), -1.0)
    worst = _worst(error, z)
    return WrongKernelError(
        f"{kernel.id} is wrong: at z = {z[worst]:.9g} it gives {computed[worst]:.9g} where {what} = "
        f"{expected.nearest[worst]:.9g} ({error[worst]:.3g} ULP; {STATED_ULP:g} are allowed)"
    )
