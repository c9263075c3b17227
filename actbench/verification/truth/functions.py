"""The namespace ``m`` in which a definition is built for jets: mpmath's names, with their derivatives.

A function without a rule here is taken from mpmath and differentiated numerically, in three times as many bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
from mpmath import libmp

from actbench.verification.truth import balls
from actbench.verification.truth.balls import EXACT, INEXACT, ONE, TWO, ZERO, Ball, Raw, UnknownError
from actbench.verification.truth.jets import Arithmetic, Jet, exponential, lifted, logarithm

STEEP: Ball = (libmp.fzero, -EXACT)
"""An unknown slope."""

SPARE = 8
"""Bits of uncertainty of a function of mpmath that has no rule here."""


def _limit(x: Ball, power: int) -> int | None:
    """Return how near a saturating function is to its limit, as an exponent of 2, where x is large and inexact.

    The distance from the limit is less than e to the -|x|^power.
    """
    size = balls.magnitude(x[0])
    if size <= balls.LARGEST and (x[1] <= INEXACT or x[1] <= -3 - max(0, size)):
        return None
    least = balls.at_least(x) * power
    return -(1 << min(least, balls.LARGEST)) if least > 0 else None


def _hyperbolic_tangent(x: Jet) -> Jet:
    bits = x.arithmetic.bits
    (value, off), size = x.value, balls.magnitude(x.value[0])
    near = _limit(x.value, 1)
    if near is not None:
        limit = libmp.fnone if value[0] else libmp.fone
        return x.chain((limit, near), (libmp.fzero, near + 2))
    tangent = libmp.mpf_tanh(value, bits)
    error = balls.magnitude(tangent) - bits + 2 if tangent[1] else EXACT
    ball = (tangent, max(error, off) + 1 if off > INEXACT else error)
    if size <= 0:
        return x.chain(ball, balls.subtract(ONE, balls.multiply(ball, ball, bits), bits))
    small = balls.exponential(balls.multiply((libmp.mpf_neg(libmp.mpf_abs(value)), off), TWO, bits), bits)
    beside = balls.add(ONE, small, bits)
    quotient = balls.divide(small, balls.multiply(beside, beside, bits), bits)
    return x.chain(ball, (libmp.mpf_shift(quotient[0], 2), quotient[1] + 2))


@lru_cache
def _height(bits: int) -> Ball:
    """Return 2 / sqrt(pi)."""
    return balls.divide(TWO, (libmp.mpf_sqrt(libmp.mpf_pi(bits), bits), 2 - bits), bits)


def _bell(x: Ball, bits: int) -> Ball:
    """Return 2 e^(-x^2) / sqrt(pi)."""
    power = balls.exponential(balls.negative(balls.multiply(x, x, bits)), bits)
    return balls.multiply(power, _height(bits), bits)


def _error_function(x: Jet) -> Jet:
    bits = x.arithmetic.bits
    value, off = x.value
    result = libmp.mpf_erf(value, bits)
    error = balls.magnitude(result) - bits + 2 if result[1] else EXACT
    return x.chain((result, max(error, off + 1) + 1 if off > INEXACT else error), _bell(x.value, bits))


def _complement(x: Jet) -> Jet:
    bits = x.arithmetic.bits
    near = _limit(x.value, 2)
    if near is not None:
        limit = libmp.ftwo if x.value[0][0] else libmp.fzero
        return x.chain((limit, near), (libmp.fzero, near + 1))
    slope = balls.negative(_bell(x.value, bits))
    return x.chain(balls.propagated(libmp.mpf_erfc(x.value[0], bits), slope, x.value, bits), slope)


def _exponential_less_1(x: Jet) -> Jet:
    bits, (value, off) = x.arithmetic.bits, x.value
    size = balls.magnitude(value)
    if balls.is_zero(x.value):
        return x.chain(ZERO, ONE)
    if size < -bits:
        return x.chain((value, max(off, 2 * size) + 1), balls.exponential(x.value, bits))
    power = balls.exponential(x.value, bits + max(0, -size) + 2)
    return x.chain(balls.subtract(power, ONE, bits), power)


def _logarithm_of_1_more(x: Jet) -> Jet:
    bits, (value, off) = x.arithmetic.bits, x.value
    size = balls.magnitude(value)
    if balls.is_zero(x.value):
        return x.chain(ZERO, ONE)
    total = balls.add(ONE, x.value, bits + max(0, min(bits, -size)) + 2)
    slope = balls.divide(ONE, total, bits)
    if size < -bits:
        return x.chain((value, max(off, 2 * size) + 1), slope)
    return x.chain(balls.logarithm(total, bits), slope)


def _root(x: Jet) -> Jet:
    bits = x.arithmetic.bits
    root = balls.square_root(x.value, bits)
    if balls.is_zero(root):
        x.arithmetic.met = True
        return x.chain(root, STEEP)
    return x.chain(root, balls.divide((libmp.fhalf, EXACT), root, bits))


def _bounded(pick: int) -> Callable[[Jet], Jet]:
    """Return the cosine or the sine, whose slope is at most 1."""

    def function(x: Jet) -> Jet:
        bits, (value, off) = x.arithmetic.bits, x.value

        def ball(raw: Raw) -> Ball:
            error = balls.magnitude(raw) - bits + 2 if raw[1] else EXACT
            return raw, max(error, off) + 1 if off > INEXACT else error

        cosine, sine = map(ball, libmp.mpf_cos_sin(value, bits))
        return x.chain(sine, cosine) if pick else x.chain(cosine, balls.negative(sine))

    return function


def _whole(rounded: Callable[[Raw], Raw]) -> Callable[[Jet], Jet]:
    """Return a step function, which jumps at whole numbers."""

    def function(x: Jet) -> Jet:
        value, off = x.value
        below = libmp.mpf_floor(value)
        x.arithmetic.sign(balls.subtract(x.value, (below, EXACT), x.arithmetic.bits))
        if off > INEXACT:
            x.arithmetic.sign(balls.subtract((libmp.mpf_add(below, libmp.fone), EXACT), x.value, x.arithmetic.bits))
        return Jet(x.arithmetic, (rounded(value), EXACT))

    return function


def _hyperbolic(pick: int) -> Callable[[Jet], Jet]:
    """Return the hyperbolic cosine or sine."""

    def function(x: Jet) -> Jet:
        bits, value = x.arithmetic.bits, x.value
        if balls.magnitude(value[0]) > balls.LARGEST:
            raise UnknownError("an exponential beyond all numbers")
        pair = libmp.mpf_cosh_sinh(value[0], bits)
        cosine, sine = (balls.propagated(raw, (pair[0], EXACT), value, bits) for raw in pair)
        return x.chain(sine, cosine) if pick else x.chain(cosine, sine)

    return function


_cosine, _sine = _bounded(0), _bounded(1)

RULES: dict[str, Callable[[Jet], Jet]] = {
    "atan": lifted(
        libmp.mpf_atan, lambda x, bits: balls.divide(ONE, balls.add(ONE, balls.multiply(x, x, bits), bits), bits)
    ),
    "ceil": _whole(libmp.mpf_ceil),
    "cos": _cosine,
    "cosh": _hyperbolic(0),
    "erf": _error_function,
    "erfc": _complement,
    "exp": exponential,
    "expm1": _exponential_less_1,
    "fabs": abs,
    "floor": _whole(libmp.mpf_floor),
    "ln": logarithm,
    "log1p": _logarithm_of_1_more,
    "sin": _sine,
    "sinh": _hyperbolic(1),
    "sqrt": _root,
    "tan": lambda x: _sine(x) / _cosine(x),
    "tanh": _hyperbolic_tangent,
}
"""Functions of one number, by mpmath's names."""


class Functions:
    """The namespace that a definition calls ``m``."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        """Take the arithmetic, which holds the number of bits."""
        self._arithmetic = arithmetic

    def mpf(self, number: Any = 0) -> Jet:
        """Return a number as a constant; a string is read as a decimal."""
        if isinstance(number, Jet):
            return number
        bits = self._arithmetic.bits
        if isinstance(number, str):
            return Jet(self._arithmetic, balls.rounded(libmp.from_str(number, bits), bits))
        return Jet(self._arithmetic, balls.number(number, bits))

    def log(self, x: Any, base: Any = None) -> Jet:
        """Return the logarithm, natural by default."""
        natural = logarithm(self.mpf(x))
        return natural if base is None else natural / logarithm(self.mpf(base))

    def log10(self, x: Any) -> Jet:
        """Return the logarithm to base 10."""
        return self.log(x, 10)

    def power(self, x: Any, y: Any) -> Jet:
        """Return x to the power of y."""
        result: Jet = self.mpf(x) ** y
        return result

    def sign(self, x: Any) -> int:
        """Return -1, 0 or 1."""
        return self.mpf(x).sign_beside(0)

    def __getattr__(self, name: str) -> Any:
        """Return a function by its rule, or mpmath's function of that name, for jets; a second time, as it is kept."""
        known = self.__dict__[name] = self._of(name)
        return known

    def _of(self, name: str) -> Any:
        if rule := RULES.get(name):
            return lambda x: rule(self.mpf(x))
        known = getattr(mpmath.mp, name)
        bits = self._arithmetic.bits
        if isinstance(known, mpmath.mp.constant):
            return Jet(self._arithmetic, balls.rounded(known.func(bits, "n"), bits))
        if isinstance(known, mpmath.mpf):
            return Jet(self._arithmetic, (known._mpf_, EXACT))
        return _Numerical(known, self, self._arithmetic) if callable(known) else known


class _Numerical:
    """A function of mpmath without a rule, for jets, differentiated by central differences."""

    def __init__(self, function: Callable[..., Any], functions: Functions, arithmetic: Arithmetic) -> None:
        self._function = function
        self._functions = functions
        self._arithmetic = arithmetic

    def __call__(self, *arguments: Any) -> Jet:
        """Return the value of the function, whose arguments may all depend on z."""
        jets = [self._functions.mpf(argument) for argument in arguments]
        bits = self._arithmetic.bits
        widest = max((jet.value[1] for jet in jets), default=EXACT)
        with mpmath.workprec(3 * bits + 4 * SPARE):
            shift = mpmath.ldexp(1, max(widest, -8 * bits)) if widest > INEXACT else mpmath.mpf(0)
            middle = self._at(jets, 0)
            off = max(_size(middle) - bits + SPARE, _size(self._at(jets, 0, shift) - middle) + 3) + 1
            return Jet(self._arithmetic, (middle._mpf_, off), self._slope(jets, shift, off - SPARE - 2 * bits))

    def _slope(self, jets: list[Jet], shift: Any, noise: int) -> Ball:
        """Return the derivative by z of a function that is computed with noise and does not resolve the shift."""
        moving = [jet for jet in jets if not balls.is_zero(jet.slope)]
        if not moving:
            return ZERO
        bits = self._arithmetic.bits
        near = min([0, *(_size(mpmath.mp.make_mpf(jet.value[0])) for jet in moving if jet.value[0][1])])
        steepest = max(balls.magnitude(jet.slope[0]) for jet in moving)
        step = near - bits - max(0, steepest)
        fine, coarse, beside = (
            self._difference(jets, mpmath.ldexp(1, exponent), moved)
            for exponent, moved in ((step, 0), (step + 1, 0), (step, shift))
        )
        vague = max(jet.slope[1] - balls.magnitude(jet.slope[0]) for jet in moving)
        off = max(_size(fine - coarse), _size(fine - beside) + 3, noise - step, _size(fine) + max(vague, SPARE - bits))
        return fine._mpf_, off + 2

    def _at(self, jets: list[Jet], step: Any, shift: Any = 0) -> Any:
        """Return the function at z + step, with its arguments shifted."""
        make = mpmath.mp.make_mpf
        result = self._function(*(make(jet.value[0]) + step * make(jet.slope[0]) + shift for jet in jets))
        if isinstance(result, mpmath.mpf):
            return result
        if isinstance(result, mpmath.mpc):
            raise UnknownError("a complex number")
        raise TypeError(f"it gives a {type(result).__name__}")

    def _difference(self, jets: list[Jet], step: Any, shift: Any = 0) -> Any:
        return (self._at(jets, step, shift) - self._at(jets, -step, shift)) / (2 * step)


def _size(number: Any) -> int:
    return balls.magnitude(number._mpf_)
