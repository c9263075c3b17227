"""g'' from a definition: duals, whose numbers are jets, so that the slope of the slope is g''.

A `Dual` is a value and its derivative by z, both of them jets. A definition over duals gives g' as a jet, and a jet has
its own derivative, with the number of digits that are known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.model.rule import Formula
from actbench.verification.truth import balls
from actbench.verification.truth.exact_number import ExactNumber
from actbench.verification.truth.functions import Functions
from actbench.verification.truth.jets import SMALL_POWER, Jet


class Dual(ExactNumber):
    """A jet with its derivative by z, which is a jet as well."""

    __slots__ = ("slope", "value")

    def __init__(self, value: Jet, slope: Jet) -> None:
        """Take a value and its derivative."""
        self.value = value
        self.slope = slope

    def constant(self, number: Any) -> Dual:
        """Return a number as a constant."""
        if isinstance(number, Dual):
            return number
        return Dual(self.value.constant(number), self.value.constant(0))

    def __add__(self, other: Any) -> Dual:
        """Return the sum."""
        if not isinstance(other, Dual):
            return Dual(self.value + other, self.slope)
        return Dual(self.value + other.value, self.slope + other.slope)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dual:
        """Return the difference."""
        if not isinstance(other, Dual):
            return Dual(self.value - other, self.slope)
        return Dual(self.value - other.value, self.slope - other.slope)

    def __rsub__(self, other: Any) -> Dual:
        """Return the difference with swapped operands."""
        return self.constant(other) - self

    def __mul__(self, other: Any) -> Dual:
        """Return the product."""
        if not isinstance(other, Dual):
            return Dual(self.value * other, self.slope * other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        """Return the quotient."""
        if not isinstance(other, Dual):
            return Dual(self.value / other, self.slope / other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    def __rtruediv__(self, other: Any) -> Dual:
        """Return the quotient with swapped operands."""
        return self.constant(other) / self

    def __pow__(self, power: Any) -> Dual:
        """Return a power: its derivative is power times a lower power, and that of an exponent takes a logarithm."""
        if isinstance(power, Dual) or power != int(power) or abs(power) > SMALL_POWER:
            functions = Seconds(Functions(self.value.arithmetic))
            raised: Dual = functions.exp(functions.ln(self) * power)
            return raised
        return Dual(self.value**power, self.value ** (power - 1) * power * self.slope if power else self.slope * 0)

    def __rpow__(self, base: Any) -> Dual:
        """Return a power of a number."""
        return self.constant(base) ** self

    def __neg__(self) -> Dual:
        """Return the negative."""
        return Dual(-self.value, -self.slope)

    def __pos__(self) -> Dual:
        """Return the dual itself."""
        return self

    def __abs__(self) -> Dual:
        """Return the absolute value."""
        return -self if self.sign_beside(0) < 0 else self

    def sign_beside(self, other: Any) -> int:
        """Return the sign of this minus another number."""
        return self.value.sign_beside(other.value if isinstance(other, Dual) else other)

    def __bool__(self) -> bool:
        """Return whether this is not 0."""
        return bool(self.value)


def _slope_of_tanh(m: Functions, x: Jet, y: Jet) -> Jet:
    if balls.magnitude(x.value[0]) <= 0:
        return 1 - y * y
    e = m.exp(-2 * abs(x))
    small: Jet = 4 * e / (1 + e) ** 2
    return small


def _bell(m: Functions, x: Jet) -> Jet:
    slope: Jet = 2 / m.sqrt(m.pi) * m.exp(-x * x)
    return slope


SLOPES: dict[str, Callable[[Functions, Jet, Jet], Jet]] = {
    "atan": lambda _, x, __: 1 / (1 + x * x),
    "ceil": lambda _, x, __: x.constant(0),
    "cos": lambda m, x, _: -m.sin(x),
    "cosh": lambda m, x, _: m.sinh(x),
    "erf": lambda m, x, _: _bell(m, x),
    "erfc": lambda m, x, _: -_bell(m, x),
    "exp": lambda _, __, y: y,
    "expm1": lambda m, x, _: m.exp(x),
    "floor": lambda _, x, __: x.constant(0),
    "ln": lambda _, x, __: 1 / x,
    "log": lambda _, x, __: 1 / x,
    "log1p": lambda _, x, __: 1 / (1 + x),
    "sin": lambda m, x, _: m.cos(x),
    "sinh": lambda m, x, _: m.cosh(x),
    "sqrt": lambda _, __, y: 1 / (2 * y),
    "tan": lambda _, __, y: 1 + y * y,
    "tanh": _slope_of_tanh,
}
"""The derivatives of functions of one number, by mpmath's names: of the namespace, x and f(x)."""


class Seconds:
    """The namespace that a definition calls ``m`` where g'' is wanted."""

    def __init__(self, functions: Functions) -> None:
        """Take the functions of jets."""
        self._functions = functions

    def mpf(self, number: Any = 0) -> Dual:
        """Return a number as a constant; a string is read as a decimal."""
        if isinstance(number, Dual):
            return number
        jet = self._functions.mpf(number)
        return Dual(jet, jet.constant(0))

    def fabs(self, x: Any) -> Dual:
        """Return the absolute value."""
        return abs(self.mpf(x))

    def power(self, x: Any, y: Any) -> Dual:
        """Return x to the power of y."""
        raised: Dual = self.mpf(x) ** y
        return raised

    def sign(self, x: Any) -> int:
        """Return -1, 0 or 1."""
        return self.mpf(x).sign_beside(0)

    def __getattr__(self, name: str) -> Any:
        """Return a function, with its derivative, or a constant; `TypeError` for a function without one here."""
        known = getattr(self._functions, name)
        if isinstance(known, Jet):
            return self.mpf(known)
        if name not in SLOPES:
            raise TypeError(f"m.{name} has no second derivative here")

        def function(x: Any) -> Dual:
            dual = self.mpf(x)
            value = known(dual.value)
            slope: Jet = SLOPES[name](self._functions, dual.value, value) * dual.slope
            return Dual(value, slope)

        return function


def slope_of(build: Callable[[Any], Formula]) -> Callable[[Any], Formula]:
    """Return a function that builds, for a namespace of jets, g' of the definition that `build` builds."""

    def built(functions: Functions) -> Formula:
        namespace = Seconds(functions)
        definition = build(namespace)

        def slope(z: Jet) -> Jet:
            return namespace.mpf(definition(Dual(z, z.constant(1)))).slope

        return slope

    return built
