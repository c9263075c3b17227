"""How sizes, times and percentages are written, on the command line and from Python: 64k, 4096x1024, 90s, 2%."""

from __future__ import annotations

import re
from decimal import Decimal
from math import prod
from typing import Any

from actbench.errors import InputError
from actbench.model.sizes import Shape, Size
from actbench.runs.bounds import LONGEST_SECONDS, MOST_ELEMENTS

NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,3})?)\s*([a-zA-Z%]*)", re.ASCII | re.IGNORECASE)

SIZE_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
TIME_UNITS = {"ms": Decimal("0.001"), "s": 1, "": 1, "m": 60, "min": 60, "h": 3600}

LARGEST_ERROR = 1e300

MOST = f"{MOST_ELEMENTS:.0e}".replace("+", "")
"""The largest size, in words."""


def size(text: str) -> Size:
    """Read the size of an array: a number of elements, 1000, 1e6, 64k (64 000) or 64Ki (65 536), or a shape, 4096x4096.

    `InputError` for other text, as from all functions here.
    """
    _refuse_list(text, "size")
    sides = [_whole(side) for side in text.split("x")]
    elements = prod(side or 0 for side in sides)
    if not 1 <= elements <= MOST_ELEMENTS:
        raise InputError(
            f"'{text}' is not a size: write a whole number of elements such as 1000, 1e6 or 64k, or a shape such as "
            f"4096x1024, at most {MOST}"
        )
    return Size(elements) if len(sides) == 1 else Size.of(Shape("x".join(map(str, sides))))


def rows(text: str) -> int:
    """Read the rows of a batch: 32, 1e3, 1k (1 000), 1Ki (1 024)."""
    _refuse_list(text, "number of rows")
    number = _whole(text)
    if number is None or number > MOST_ELEMENTS:
        raise InputError(f"'{text}' is not a number of rows: write a whole number such as 32 or 1k, from 1 to {MOST}")
    return number


def _refuse_list(text: str, what: str) -> None:
    """Raise `InputError` for several where one is read."""
    if "," in text:
        raise InputError(f"'{text}' is a list: write one {what}")


def seconds(text: str) -> float:
    """Read a time, 90s, 2m, 1.5h or 500ms, in seconds."""
    number = _read(text, TIME_UNITS)
    if number is not None and number > LONGEST_SECONDS:
        raise InputError(
            f"'{text}' is too long: write a time up to {LONGEST_SECONDS / 3600:g} h, for example 90s, 2m or 1.5h"
        )
    if number is None or number <= 0:
        raise InputError(f"'{text}' is not a time: write for example 90s, 2m or 1.5h")
    return float(number)


def share(text: str) -> float:
    """Read a percentage, 2, 2% or 0.5%, as a fraction."""
    number = _read(text, {"": 1, "%": 1})
    if number is not None and number > 100:
        raise InputError(f"'{text}' is too large: write a percentage up to 100, for example 2 or 0.5%")
    if number is None or number <= 0:
        raise InputError(f"'{text}' is not a percentage: write for example 2 or 0.5%")
    return float(number) / 100


def relative_error(text: str) -> float:
    """Read a relative error, 1e-5 or 0.001%, as a fraction."""
    number = _float(text.removesuffix("%"))
    if number is None or not 0 < number <= LARGEST_ERROR:
        raise InputError(f"'{text}' is no relative error: write a number above 0, for example 1e-5 or 0.001%")
    return number / 100 if text.endswith("%") else number


def bound(text: str) -> float:
    """Read a bound of what is not negative: 4, 0.5."""
    number = _float(text)
    if number is None or not number >= 0:
        raise InputError(f"'{text}' is no bound: write a number from 0 on, for example 4 or 0.5")
    return number


def threads(text: str) -> int:
    """Read a number of threads; ``all`` are as many as this process may run on."""
    if text == "all":
        from actbench.host.environment import choose_threads

        return choose_threads(None)
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise InputError(f"'{text}' is not a number of threads: write for example 1, or all")
    return int(text)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    """Return a positive whole number; None for other text."""
    number = _read(text, SIZE_UNITS)
    return None if number is None or number < 1 or number != int(number) else int(number)


def _read(text: str, units: dict[str, Any]) -> Decimal | None:
    match = NUMBER.fullmatch(text.strip())
    if not match or match[2].lower() not in units:
        return None
    return Decimal(match[1]) * Decimal(units[match[2].lower()])


def shard(text: str) -> tuple[int, int]:
    """Read ``2/5``, the second of five parts."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"'{text}' is no part: write its number and how many there are, e.g. 2/5")
    return int(number), int(count)
