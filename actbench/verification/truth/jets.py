"""Jets: numbers that carry their derivative by z. A definition maps one jet to g(z) together with g'(z).

A `Jet` is a value and a slope, both of them balls. So a definition itself gives g' at any z, and the number of digits
that are known: there is no step, and no subtraction that the definition does not contain. Comparisons take the branch
of z. Where both sides of a comparison are equal, two branches meet at z, and `Arithmetic.met` is True: the caller must
then evaluate both sides of z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import libmp

from actbench.verification.truth import balls
from actbench.verification.truth.balls import ONE, ZERO, Ball, UnsureError
from actbench.verification.truth.exact_number import ExactNumber

SMALL_POWER = 1 << 12
"""Exponent up to which powers are evaluated as products."""


class Arithmetic:
    """The number of bits, and whether a comparison met its boundary."""

    def __init__(self, bits: int, *, last: bool) -> None:
        """Take the number of bits; with `last`, numbers that cannot be distinguished count as equal."""
        self.bits = bits
        self.last = last
        self.met = False
        """Whether two branches meet at this z."""

    def sign(self, ball: Ball) -> int:
        """Return the sign of a number, and record where it is 0."""
        sign = balls.sign(ball)
        if sign is None:
            if not self.last:
                raise UnsureError
            sign = 0
        self.met |= sign == 0
        return sign


class Jet(ExactNumber):
    """A real number that depends on z, with its derivative by z."""

    __slots__ = ("arithmetic", "slope", "value")

    def __init__(self, arithmetic: Arithmetic, value: Ball, slope: Ball = ZERO) -> None:
        """Take a value and its derivative; without one it is a constant."""
        self.arithmetic = arithmetic
        self.value = value
        self.slope = slope

    def _ball(self, other: Any) -> tuple[Ball, Ball]:
        if isinstance(other, Jet):
            return other.value, other.slope
        return balls.number(other, self.arithmetic.bits), ZERO

    def chain(self, value: Ball, slope: Ball) -> Jet:
        """Return a function of this jet, from its value and its derivative."""
        return Jet(self.arithmetic, value, balls.multiply(slope, self.slope, self.arithmetic.bits))

    def constant(self, number: Any) -> Jet:
        """Return a number as a constant."""
        if isinstance(number, Jet):
            return number
        return Jet(self.arithmetic, balls.number(number, self.arithmetic.bits))

    def __add__(self, other: Any) -> Jet:
        """Return the sum."""
        value, slope = self._ball(other)
        bits = self.arithmetic.bits
        slope = self.slope if slope is ZERO else balls.add(self.slope, slope, bits)
        return Jet(self.arithmetic, balls.add(self.value, value, bits), slope)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Jet:
        """Return the difference."""
        value, slope = self._ball(other)
        bits = self.arithmetic.bits
        slope = self.slope if slope is ZERO else balls.subtract(self.slope, slope, bits)
        return Jet(self.arithmetic, balls.subtract(self.value, value, bits), slope)

    def __rsub__(self, other: Any) -> Jet:
        """Return the difference with swapped operands."""
        difference: Jet = -self + other
        return difference

    def __mul__(self, other: Any) -> Jet:
        """Return the product."""
        value, slope = self._ball(other)
        bits = self.arithmetic.bits
        total = balls.multiply(self.slope, value, bits)
        if slope is not ZERO:
            total = balls.add(total, balls.multiply(self.value, slope, bits), bits)
        return Jet(self.arithmetic, balls.multiply(self.value, value, bits), total)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Jet:
        """Return the quotient."""
        value, slope = self._ball(other)
        bits = self.arithmetic.bits
        quotient = balls.divide(self.value, value, bits)
        change = self.slope
        if slope is not ZERO:
            change = balls.subtract(change, balls.multiply(quotient, slope, bits), bits)
        return Jet(self.arithmetic, quotient, balls.divide(change, value, bits))

    def __rtruediv__(self, other: Any) -> Jet:
        """Return the quotient with swapped operands."""
        return self.constant(other) / self

    def __pow__(self, power: Any) -> Jet:
        """Return a power: a product for whole numbers, otherwise by logarithm and exponential."""
        if not isinstance(power, Jet) and power == int(power) and abs(power) <= SMALL_POWER:
            return self._product(int(power))
        if not isinstance(power, Jet) and power > 1 and balls.is_zero(self.value):
            return Jet(self.arithmetic, ZERO)
        return exponential(logarithm(self) * power)

    def __rpow__(self, base: Any) -> Jet:
        """Return a power of a number."""
        return self.constant(base) ** self

    def _product(self, power: int) -> Jet:
        result, square, left = self.constant(1), self, abs(power)
        while left:
            if left & 1:
                result = square * result
            left >>= 1
            if left:
                square *= square
        return self.constant(1) / result if power < 0 else result

    def __neg__(self) -> Jet:
        """Return the negative."""
        return Jet(self.arithmetic, balls.negative(self.value), balls.negative(self.slope))

    def __pos__(self) -> Jet:
        """Return the jet itself."""
        return self

    def __abs__(self) -> Jet:
        """Return the absolute value."""
        return -self if self.arithmetic.sign(self.value) < 0 else self

    def sign_beside(self, other: Any) -> int:
        """Return the sign of this jet minus another number."""
        if other is self:
            return 0
        value, _ = self._ball(other)
        if self.value[0][1] and balls.is_zero(value):
            return self.arithmetic.sign(self.value)
        if not value[0][1] and value[0][2]:
            return _sign_beside_infinity(value[0])
        return self.arithmetic.sign(balls.subtract(self.value, value, self.arithmetic.bits))

    def __bool__(self) -> bool:
        """Return whether this is not 0."""
        return self.arithmetic.sign(self.value) != 0


def _sign_beside_infinity(other: balls.Raw) -> int:
    if other == libmp.fnan:
        raise balls.UnknownError("a comparison with no number")
    return -1 if other == libmp.finf else 1


def exponential(x: Jet) -> Jet:
    """Return e^x."""
    power = balls.exponential(x.value, x.arithmetic.bits)
    return x.chain(power, power)


def logarithm(x: Jet) -> Jet:
    """Return log x."""
    bits = x.arithmetic.bits
    return x.chain(balls.logarithm(x.value, bits), balls.divide(ONE, x.value, bits))


def lifted(function: Callable[..., Any], slope: Callable[[Ball, int], Ball]) -> Callable[[Jet], Jet]:
    """Return a function of raw numbers as a function of jets, with its derivative over balls."""

    def lift(x: Jet) -> Jet:
        bits = x.arithmetic.bits
        change = slope(x.value, bits)
        return x.chain(balls.propagated(function(x.value[0], bits), change, x.value, bits), change)

    return lift
