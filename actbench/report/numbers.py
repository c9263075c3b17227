"""Numbers as people should see them: no more digits than the uncertainty allows, and never without it."""

from __future__ import annotations

import math

UNDECIDED = "≈"
"""Marks a ratio whose interval holds 1: no difference is shown."""

NO_INTERVAL = "?"
"""Marks a figure that has no interval, from fewer than six rounds."""


def plus_minus(value: float, low: float, high: float, *others: float) -> str:
    """Return ``3.41 ± 0.02``: the interval's longer side, in one digit, or two when it begins with 1.

    Where ± would hold 0, or one of `others`, and the interval does not, it is told by its bounds: ``0.988 (0.973 to
    0.997)``. Without an interval (NaN bounds) the value has three digits and a ``?``.
    """
    if math.isnan(low):
        return f"{significant(value, 3)} {NO_INTERVAL}"
    half = max(high - value, value - low)
    places = _places(value, half)
    shown, side = round(value, places), round(half, places)
    held = [other for other in (0.0, *others) if shown - side <= other <= shown + side and not low <= other <= high]
    if not held:
        return f"{_fixed(value, places)} ± {_fixed(half, places)}"
    nearest = min(abs(bound - other) for bound in (low, high) for other in held)
    places = _places(value, min(high - value, value - low))
    places = max(places, min(-math.floor(math.log10(nearest)), places + 2))  # to show on which side of 1 they lie
    return f"{_fixed(value, places)} ({_fixed(low, places)} to {_fixed(high, places)})"


def ratio(value: float, low: float, high: float) -> str:
    """Return a ratio with its uncertainty, marked when the interval holds 1."""
    text = plus_minus(value, low, high, 1.0)
    return f"{text} {UNDECIDED}" if low <= 1.0 <= high else text


def change(value: float, low: float, high: float) -> str:
    """Return a ratio of times as a change in percent: ``+7.2 % ± 0.4 %``; ``-`` for NaN, ``?`` without an interval."""
    if math.isnan(value):
        return "-"
    if math.isnan(low):
        return f"{_signed(value, 1)} {NO_INTERVAL}"
    half = 100 * max(high - value, value - low)
    places = 0 if half >= 10 else 1 if half >= 0.1 else 2
    return f"{_signed(value, places)} ± {_fixed(half, places)} %"


def significant(value: float, digits: int) -> str:
    """Return a number in so many significant digits, without an exponent where that stays short."""
    if not math.isfinite(value) or value == 0:
        return {math.inf: "∞", 0.0: "0"}.get(value, "-")
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return _fixed(value, max(0, digits - 1 - exponent))


def count(number: int) -> str:
    """Return a whole number in groups of three: ``4 000 000``."""
    return f"{number:,}".replace(",", "\u202f")


def counted(number: int, what: str) -> str:
    """Return a number of things: ``1 block``, ``3 blocks``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def about(number: float) -> str:
    """Return a number of elements in two significant digits: ``1 600``, ``50k``, ``3.1M``."""
    exponent = max(0, math.floor(math.log10(number)) - 1)
    rounded = round(number / 10**exponent) * 10**exponent
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if rounded >= max(unit, 10_000):
            return f"{rounded / unit:g}{letter}"
    return count(rounded)


def duration(seconds: float) -> str:
    """Return a duration for people: ``45 s``, ``2 min 5 s``, ``1 h 30 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(whole / 60), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _places(value: float, half: float) -> int:
    """Return the decimal places that a half width deserves; three digits of the value where it is zero."""
    if half <= 0:
        return max(0, 2 - math.floor(math.log10(abs(value))))
    exponent = math.floor(math.log10(half))
    leading = round(half / 10**exponent, 1)
    return max(0, -exponent + (1 if leading < 2 else 0))


def _signed(ratio: float, places: int) -> str:
    percent = round(100 * (ratio - 1), places)
    return f"{percent + 0.0:+.{places}f} %"


def _fixed(value: float, places: int) -> str:
    return f"{value:.{places}f}"
