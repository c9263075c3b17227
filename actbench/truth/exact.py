"""g' by a central difference of the definition, in arithmetic so wide that it is exact to any format's precision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import mpmath
from numpy.typing import NDArray

from actbench.errors import BenchmarkError
from actbench.formula import Activation, Formula
from actbench.truth.sides import Sides

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

PROBES = (-50.5, -2.5, -0.5, 0.0, 0.75, 3.0, 50.5)
"""Where a definition is tried."""


def obstacle(activation: Activation) -> str | None:
    """Say why a definition cannot be evaluated in mpmath, or None when it can.

    Numbers that refuse to become floats find out: ``math.exp(z)`` would go on with 16 digits, and without a word.
    """
    strict: Any = mpmath.MPContext()
    strict.mpf.__float__ = _refuse
    try:
        definition = activation.build(strict).definition
        found = [_tried(definition, strict.mpf(z)) for z in PROBES]
    except Exception as error:  # noqa: BLE001  # numpy and scipy raise whatever they like
        return f"{type(error).__name__}: {error}".splitlines()[0]
    other = next((y for y in found if not isinstance(y, strict.mpf | int | float)), None)
    if other is None:
        return None
    return f"it gives a {'complex number' if isinstance(other, strict.mpc | complex) else type(other).__name__}"


class Slope(NamedTuple):
    """A derivative as a number of mpmath."""

    value: Any
    digits: int
    """Decimal digits of the arithmetic that was wide enough for it."""


def slopes(activation: Activation, z: Array) -> list[Slope]:
    """Return g'(z); at a kink, as it is declared. `BenchmarkError` where the definition raises."""
    formulas = activation.build(mpmath.mp)
    kinks = dict(formulas.kinks)
    found = []
    for each in map(float, z):
        with _raising(activation.name, each):
            found.append(_slope(formulas.definition, each, kinks))
    return found


def outputs(activation: Activation, z: Array, digits: Iterable[int]) -> list[Any]:
    """Return g(z) as numbers of mpmath, each in arithmetic of so many digits. `BenchmarkError` likewise."""
    definition = activation.build(mpmath.mp).definition
    found = []
    for each, wide in zip(map(float, z), digits, strict=True):
        with _raising(activation.name, each), mpmath.workdps(wide):
            found.append(definition(mpmath.mpf(each)))
    return found


def sides(activation: Activation, z: float) -> Sides:
    """Return what g does on either side of z."""
    definition = activation.build(mpmath.mp).definition
    with mpmath.workdps(DIGITS):
        at, step = mpmath.mpf(z), mpmath.mpf(STEP)
        y = [definition(at + side * step) for side in (-1, 0, 1)]
        left, right = ((after - before) / step for before, after in pairwise(y))
        return Sides(float(left), float(right), float(y[0]), float(y[2]))


def _slope(definition: Formula, z: float, kinks: Mapping[float, float]) -> Slope:
    if z in kinks:
        return Slope(mpmath.mpf(kinks[z]), FEW_DIGITS)
    room = min([2 * STEP, *(abs(z - kink) for kink in kinks)])
    for digits in (FEW_DIGITS, DIGITS) if abs(z) < NEAR_0 else (DIGITS,):
        with mpmath.workdps(digits):
            at, step = mpmath.mpf(z), mpmath.mpf(room) / 2
            above, below = definition(at + step), definition(at - step)
            change = above - below
            if digits == DIGITS or mpmath.mag(change) - mpmath.mag(above) + mpmath.mp.prec > KEPT_BITS:
                return Slope(change / (2 * step), digits)
    raise AssertionError("the widest arithmetic is always taken")


@contextmanager
def _raising(name: str, z: float) -> Iterator[None]:
    """Say of what a definition raises where it does."""
    try:
        yield
    except (ArithmeticError, TypeError, ValueError) as error:
        raise BenchmarkError(
            f"the definition of {name} raises {type(error).__name__} at z = {z:.9g}, in mpmath: it must give a number "
            "at every finite z"
        ) from None


def _tried(definition: Formula, z: Any) -> Any:
    try:
        return definition(z)
    except ArithmeticError:
        return z  # it is told when the truth is asked for, with the z


def _refuse(_: Any) -> float:
    raise TypeError("it makes a float of z")
