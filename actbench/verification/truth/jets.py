"""Numbers that carry a derivative: what a definition makes of one of them is g(z) together with g'(z).

A `Jet` is a value and its slope, both balls, so that a definition says by itself, at any z, what g' is and to how many
digits that is known: no step is taken, and nothing is subtracted that the definition does not subtract. Comparisons
take the branch that z takes. Where the two sides of a comparison are equal, z is where two branches meet, and
`Arithmetic.met` says so: whoever asked must look at either side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import libmp

from actbench.verification.truth import balls
from actbench.verification.truth.balls import ONE, ZERO, Ball, UnsureError

SMALL_POWER = 1 << 12
"""Up to which exponent powers are products."""


class Arithmetic:
    """How many bits numbers have, and what became of comparisons."""

    def __init__(self, bits: int, *, last: bool) -> None:
        """Take so many bits; with `last`, what cannot be told apart counts as equal."""
        self.bits = bits
        self.last = last
        self.met = False
        """Whether two branches meet at the z that is evaluated."""

    def sign(self, ball: Ball) -> int:
        """Return the sign of a number, and note where it is 0."""
        sign = balls.sign(ball)
        if sign is None:
            if not self.last:
                raise UnsureError
            sign = 0
        self.met |= sign == 0
        return sign


class Jet:
    """A real number that depends on z, and its derivative by z."""

    __array_ufunc__ = None
    """numpy's numbers leave arithmetic to it."""
    __hash__ = None  # type: ignore[assignment]  # equal to any number
    __slots__ = ("arithmetic", "slope", "value")

    def __init__(self, arithmetic: Arithmetic, value: Ball, slope: Ball = ZERO) -> None:
        """Take a value and a derivative; without one it is a constant."""
        self.arithmetic = arithmetic
        self.value = value
        self.slope = slope

    def _ball(self, other: Any) -> tuple[Ball, Ball]:
        if isinstance(other, Jet):
            return other.value, other.slope
        return balls.number(other, self.arithmetic.bits), ZERO

    def chain(self, value: Ball, slope: Ball) -> Jet:
        """Return a function of this number, from its value and its derivative."""
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
        """Return the difference, the other way round."""
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
        """Return the quotient, the other way round."""
        return self.constant(other) / self

    def __pow__(self, power: Any) -> Jet:
        """Return a power: a product for whole numbers, else by logarithm and exponential."""
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
        """Return the number below 0 that is as large."""
        return Jet(self.arithmetic, balls.negative(self.value), balls.negative(self.slope))

    def __pos__(self) -> Jet:
        """Return the number."""
        return self

    def __abs__(self) -> Jet:
        """Return the absolute value."""
        return -self if self.arithmetic.sign(self.value) < 0 else self

    def sign_beside(self, other: Any) -> int:
        """Return the sign of the difference from another number."""
        if other is self:
            return 0
        value, _ = self._ball(other)
        if not value[0][1] and value[0][2]:
            return _sign_beside_infinity(value[0])
        return self.arithmetic.sign(balls.subtract(self.value, value, self.arithmetic.bits))

    def __lt__(self, other: Any) -> bool:
        """Say whether it is below."""
        return self.sign_beside(other) < 0

    def __le__(self, other: Any) -> bool:
        """Say whether it is not above."""
        return self.sign_beside(other) <= 0

    def __gt__(self, other: Any) -> bool:
        """Say whether it is above."""
        return self.sign_beside(other) > 0

    def __ge__(self, other: Any) -> bool:
        """Say whether it is not below."""
        return self.sign_beside(other) >= 0

    def __eq__(self, other: object) -> bool:
        """Say whether it is the same."""
        return self.sign_beside(other) == 0

    def __ne__(self, other: object) -> bool:
        """Say whether it is another."""
        return self.sign_beside(other) != 0

    def __bool__(self) -> bool:
        """Say whether it is not 0."""
        return self.arithmetic.sign(self.value) != 0

    def __float__(self) -> float:
        """Refuse: ``math.exp(z)`` would go on with 16 digits, and without a word."""
        raise TypeError("it makes a float of z")


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
    """Return a function of raw numbers as one of jets, with its derivative over balls."""

    def lift(x: Jet) -> Jet:
        bits = x.arithmetic.bits
        change = slope(x.value, bits)
        return x.chain(balls.propagated(function(x.value[0], bits), change, x.value, bits), change)

    return lift
