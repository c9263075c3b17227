"""Known failures of a strategy or of a user kernel, as their declarations state them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from math import log
from typing import Any, Protocol


class FloatFormat(Protocol):
    """The limits of a floating-point format, as `numpy.finfo` gives them."""

    @property
    def max(self) -> Any:
        """The largest finite number."""

    @property
    def eps(self) -> Any:
        """The distance from 1 to the next larger number."""

    @property
    def tiny(self) -> Any:
        """The smallest normal number."""


class Flaw(StrEnum):
    """The ways in which a strategy may be known to fail."""

    CANCELS = "cancels"
    """Digits cancel: the error is a few eps in absolute terms, however small g' is."""
    OVERFLOWS = "overflows"
    """An intermediate overflows: the call raises, or returns 0, inf or NaN, where g' is a number."""
    AMPLIFIES = "amplifies"
    """The rounding error of an intermediate is amplified: the error in ULP is larger by a known factor."""
    MERGES = "merges"
    """y rounds to its value at a kink, and the result is g' on the kink's other side."""
    INACCURATE = "inaccurate"
    """The result is a number, but inaccurate, as a fast approximation is. It is timed; the tables show its error."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known failure of a strategy, declared with its formula.

    The oracle checks both regions: outside ``where`` the strategy must be accurate; inside, its error must have the
    declared form.
    """

    flaw: Flaw
    why: str
    where: Callable[..., Any]
    """A function of z (an array) and the float format, which returns where the flaw is expected: a boolean array.

    Of a gated activation, it is a function of a, b and the format; of one with targets, of z, target and the format.

    For `AMPLIFIES`, it returns the factor as a float array, at most 1 where nothing is amplified. For `INACCURATE`, a
    boolean array allows any finite error; a float array gives the allowed error in ULP, 0 where there is none."""
    narrow: bool = field(default=False, kw_only=True)
    """Whether only formats of 16 bits have it."""


def few_digits(exponent: Callable[[Any], Any], factor: Callable[[Any], Any]) -> Weakness:
    """Return the weakness of an exponential among the subnormal numbers; exponent and factor are functions of z."""
    return Weakness(
        Flaw.AMPLIFIES,
        "below the smallest normal number the exponential has few digits, and its error is multiplied",
        lambda z, fmt: factor(z) * (exponent(z) < log(fmt.tiny)),
    )
