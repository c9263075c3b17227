"""g' and g, or g'' and g', from the definition, in arithmetic that is exact to the precision of any format."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath
from mpmath import libmp
from numpy.typing import NDArray

from actbench.errors import BenchmarkError
from actbench.formula import Activation
from actbench.model.rule import Formula
from actbench.verification.truth import differentiated, points
from actbench.verification.truth.agreeing import Agreeing
from actbench.verification.truth.balls import ZERO
from actbench.verification.truth.differentiated import Differentiated
from actbench.verification.truth.jets import Jet
from actbench.verification.truth.points import Method, Point
from actbench.verification.truth.second import slope_of
from actbench.verification.truth.sides import Sides

Array = NDArray[Any]

PROBES = (-50.5, -2.5, -0.5, 0.0, 0.75, 3.0, 50.5)
"""Arguments at which a definition is tried."""


class Exact:
    """g' and g of an activation from its definition, by mpmath; g'' and g' of one with g'' in place of g'."""

    def __init__(self, activation: Activation) -> None:
        """Take an activation whose definition mpmath can evaluate, as `unsupported` tells."""
        self._name = activation.name
        self._kinks = activation.formulas.kinks
        build = built(activation)
        self._method: Method = (
            Agreeing(activation) if differentiated.unsupported(build, PROBES) else Differentiated(build)
        )

    def at(self, z: Array) -> list[Point]:
        """Return g' and g; at a kink, the declared g'. `BenchmarkError` where the definition raises."""
        return [self._at(number) for number in map(float, z)]

    def _at(self, z: float) -> Point:
        number = mpmath.mp.make_mpf(libmp.from_float(z))
        try:
            if z in self._kinks:
                return Point(mpmath.mpf(self._kinks[z]), self._method.at(number).output)
            return points.resolved(self._method, number)
        except Exception as error:  # noqa: BLE001  # the user's code may raise anything
            raise _raised(self._name, z, error) from None

    def sides(self, z: float) -> Sides | None:
        """Return the behaviour of g on either side of z; None where it is unknown."""
        try:
            return points.sides(self._method, z)
        except Exception as error:  # noqa: BLE001  # the user's code may raise anything
            raise _raised(self._name, z, error) from None


def built(activation: Activation) -> Callable[[Any], Formula]:
    """Return a function that builds what is differentiated, for a namespace: the definition, or g' where g'' is."""

    def definition(m: Any) -> Formula:
        return activation.build(m).definition

    return slope_of(definition) if activation.first else definition


def unsupported(activation: Activation) -> str | None:
    """Return why mpmath cannot evaluate the definition of an activation, or None where it can.

    The probes are numbers that refuse conversion to float: ``math.exp(z)`` would silently continue with 16 digits.
    """
    without_rules = differentiated.unsupported(built(activation), PROBES)
    if without_rules is None or activation.first:
        return without_rules
    strict: Any = mpmath.MPContext()
    strict.mpf.__float__ = _refuse
    try:
        definition = activation.build(strict).definition
        results = [_tried(definition, strict.mpf(z)) for z in PROBES]
    except Exception as error:  # noqa: BLE001  # numpy and scipy may raise anything
        return f"{type(error).__name__}: {error}".splitlines()[0]
    other = next((y for y in results if not isinstance(y, strict.mpf | mpmath.mpf | int | float)), None)
    if other is None:
        return None
    return f"it gives a {'complex number' if isinstance(other, strict.mpc | complex) else type(other).__name__}"


def _raised(name: str, z: float, error: Exception) -> BenchmarkError:
    """Return the error that names the activation and z for an exception of its definition."""
    return BenchmarkError(
        f"the definition of {name} raises {type(error).__name__} at z = {z:.9g}, in mpmath: it must give a number "
        "at every finite z"
    )


def _tried(definition: Formula, z: Any) -> Any:
    try:
        return definition(z)
    except ArithmeticError:
        return z  # reported with its z when the truth is computed


def _refuse(_: Any) -> float:
    raise TypeError("it converts z to float")


def saved(build: Callable[[Any], Formula | None], count: int, z: Array) -> list[list[Any]]:
    """Return the residuals that a formula saves beside the output, as numbers of mpmath; None where unknown."""
    methods = [Differentiated(partial(_residual, build, number), ZERO) for number in range(1, count + 1)]
    return [[method.at(mpmath.mpf(number)).output for number in map(float, z)] for method in methods]


def _residual(build: Callable[[Any], Formula | None], number: int, m: Any) -> Formula:
    """Return a formula for one of the saved residuals, whose derivative is not needed."""
    save = build(m)
    assert save is not None  # noqa: S101  # there are residuals

    def residual(z: Any) -> Any:
        jet = z.constant(save(z)[number])
        return Jet(jet.arithmetic, jet.value)

    return residual
