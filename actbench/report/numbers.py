"""Numbers for people: with as many digits as the uncertainty allows, and always with the uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence

from actbench.analysis.interval import Interval
from actbench.model.cases import Case

UNDECIDED = "≈"
"""Mark of a ratio whose interval includes 1: no difference is shown."""

NO_INTERVAL = "?"
"""Mark of a figure without an interval, from fewer than six rounds."""

NO_FIGURE = "-"
"""The text of a missing figure."""

LOPSIDED = 1.5
"""Ratio of an interval's sides from which on its bounds are shown, since ± would misstate the shorter side."""

CLOSE = 1.1
"""Ratios within this factor of 1 have three digits, so that their difference from 1 shows."""

AS_BOUNDS = (
    f"an interval is shown as (low to high) where one side is at least {LOPSIDED:g} times the other, or where ± would "
    "misleadingly include "
)
"""Part of the notes under tables; the number that ± would include is appended."""


def plus_minus(interval: Interval, *others: float) -> str:
    """Return ``3.41 ± 0.02``: the longer side of the interval, in one digit, or two where it begins with 1.

    The interval is shown by its bounds, ``6.2 (3.6 to 6.6)``, where one side is at least `LOPSIDED` times the other,
    and where ± would include 0, or one of `others`, and the interval does not. Without bounds the value has three
    digits and a ``?``.
    """
    value, low, high = interval
    if not interval.has_bounds:
        return f"{significant(value, 3)} {NO_INTERVAL}"
    shorter, longer = _sides(interval)
    places = _places(value, longer)
    misstated = _misstated(interval, longer, places, (0.0, *others))
    if not (misstated or _lopsided(shorter, longer)):
        return f"{_fixed(value, places)} ± {_fixed(longer, places)}"
    places = _places_of_bounds(interval, places, misstated)
    return f"{_fixed(value, places)} ({_fixed(low, places)} to {_fixed(high, places)})"


def ratio(interval: Interval) -> str:
    """Return a ratio with its uncertainty, marked where the interval includes 1."""
    text = plus_minus(interval, 1.0)
    return f"{text} {UNDECIDED}" if interval.contains(1.0) else text


def change(interval: Interval) -> str:
    """Return a ratio of times as a change in percent: ``+7.2 % ± 0.4 %``; `NO_FIGURE` for NaN, ``?`` without interval.

    The interval is shown by its bounds, ``+2.0 % (+0.4 % to +4.9 %)``, where one side is at least `LOPSIDED` times the
    other, and where ± would include 0 % and the interval does not.
    """
    if math.isnan(interval.value):
        return NO_FIGURE
    return _percent(Interval(*(times - 1 for times in interval)), "+")


def percent(share: Interval) -> str:
    """Return a share in percent, ``3.4 % ± 0.4 %``; its interval by bounds where `change` shows it so."""
    return NO_FIGURE if math.isnan(share.value) else _percent(share, "")


def _percent(share: Interval, sign: str) -> str:
    """Return a share in percent with its interval; `sign` is the format's, ``+`` or nothing."""
    value, low, high = scaled = Interval(*(100 * bound for bound in share))
    if not scaled.has_bounds:
        return f"{_signed(value, 1, sign)} {NO_INTERVAL}"
    shorter, longer = _sides(scaled)
    places = _places_of_percent(longer)
    misstated = _misstated(scaled, longer, places, (0.0,))
    visible = round(longer, places) > 0
    if not (misstated or (visible and _lopsided(shorter, longer))):
        return f"{_signed(value, places, sign)} ± {_fixed(longer, places)} %"
    places = _places_of_bounds(scaled, places, misstated)
    return f"{_signed(value, places, sign)} ({_signed(low, places, sign)} to {_signed(high, places, sign)})"


def significant(value: float, digits: int) -> str:
    """Return a number in this many significant digits, without an exponent from 0.0001 to a million."""
    if not math.isfinite(value) or value == 0:
        return {math.inf: "∞", 0.0: "0"}.get(value, "-")
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return _fixed(value, max(0, digits - 1 - exponent))


def span(low: float, high: float) -> str:
    """Return the range of some ratios, ``1.2 to 3.5``; one number where both ends are the same in these digits.

    An end within `CLOSE` of 1 has three digits, so that its difference from 1 shows; and the other one if it is near.
    """
    is_close = [1 / CLOSE < end < CLOSE for end in (low, high)]
    if any(is_close) and high < CLOSE**2 * low:
        is_close = [True, True]
    ends = [significant(end, 3 if close else 2) for end, close in zip((low, high), is_close, strict=True)]
    return " to ".join(dict.fromkeys(ends))


def low_to_high(interval: Interval) -> str:
    """Return the bounds of an interval, ``1.2812 to 1.2823``: in three digits, or in two of what they differ by."""
    _, low, high = interval
    apart = (high - low) / abs(high) if math.isfinite(high) and high else 0.0
    digits = max(3, 2 - math.ceil(math.log10(apart))) if apart > 0 else 3
    return f"{significant(low, digits)} to {significant(high, digits)}"


def count(number: int) -> str:
    """Return a whole number in groups of three: ``4 000 000``."""
    return f"{number:,}".replace(",", "\u202f")


def size_of(case: Case) -> str:
    """Return the shape by which the size of a case was named, or its elements in groups of three."""
    return case.shape or count(case.size)


def counted(number: int, what: str) -> str:
    """Return a number of things: ``1 block``, ``3 blocks``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def joined(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: ``a, b and y``."""
    *first, last = names or ("",)
    return f"{', '.join(first)} and {last}" if first else last


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
    """Return the decimal places for a half width; where it is zero, those of three digits of the value."""
    if half <= 0:
        return max(0, 2 - math.floor(math.log10(abs(value))))
    exponent = math.floor(math.log10(half))
    leading = round(half / 10**exponent, 1)
    return max(0, -exponent + (1 if leading < 2 else 0))


def _places_of_percent(half: float) -> int:
    """Return the decimal places for a half width in percent."""
    return 0 if half >= 10 else 1 if half >= 0.1 else 2


def _sides(interval: Interval) -> tuple[float, float]:
    """Return the lengths of the shorter and the longer side."""
    value, low, high = interval
    above, below = high - value, value - low
    return (above, below) if above < below else (below, above)


def _misstated(interval: Interval, longer: float, places: int, numbers: Sequence[float]) -> list[float]:
    """Return the numbers that ± the longer side, in this many places, would include and the interval does not."""
    shown, side = round(interval.value, places), round(longer, places)
    return [number for number in numbers if shown - side <= number <= shown + side and not interval.contains(number)]


def _lopsided(shorter: float, longer: float) -> bool:
    """Return whether ± would misstate the shorter side of an interval."""
    return longer > 0 and longer >= LOPSIDED * shorter


def _places_of_bounds(interval: Interval, places: int, numbers: Sequence[float]) -> int:
    """Return the decimal places of bounds: at most one more than `places`, where the shorter side needs it.

    Up to two more show on which side of `numbers` the bounds lie.
    """
    shorter, _ = _sides(interval)
    if shorter > 0:
        places = min(max(places, -math.floor(math.log10(shorter))), places + 1)
    nearest = min((abs(bound - number) for bound in interval[1:] for number in numbers), default=math.inf)
    return places if math.isinf(nearest) else max(places, min(-math.floor(math.log10(nearest)), places + 2))


def _signed(percent: float, places: int, sign: str) -> str:
    return f"{round(percent, places) + 0.0:{sign}.{places}f} %"


def _fixed(value: float, places: int) -> str:
    return f"{value:.{places}f}"
