"""What Python gives by name: one name or several, a size as a number or a shape, a time in seconds or as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, isinf, isnan, nan
from numbers import Real
from operator import index
from os import PathLike, fspath
from typing import Any

from actbench.api import notation
from actbench.errors import InputError
from actbench.model.sizes import Size
from actbench.model.variants import Variant
from actbench.planning.selection import Selection

Names = str | Iterable[str]
"""One name, several with commas between them, or an iterable of names; globs among them."""

Files = str | PathLike[str] | Iterable[str | PathLike[str]]
"""One file or package, or several."""

SizeLike = int | float | str | tuple[int, ...]
"""A number of elements, a shape, or either as text: 64_000, (4096, 1024), "64k"."""

Sizes = SizeLike | Iterable[SizeLike]
"""One size or several; a tuple is the shape of one."""


def names(value: Names) -> tuple[str, ...]:
    """Return names as a tuple; `InputError` for an empty one."""
    parts: list[Any] = [value]
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
    elif isinstance(value, Iterable):
        parts = [*value]
    if wrong := [part for part in parts if not (isinstance(part, str) and part)]:
        raise InputError(f"{wrong[0]!r} is no name: write names, or one text with commas between them")
    return tuple(parts)


def files(value: Files) -> tuple[str, ...]:
    """Return names of files or packages as a tuple."""
    return (fspath(value),) if isinstance(value, str | PathLike) else tuple(fspath(one) for one in value)


def whole(what: str, value: Any, low: int, high: float = inf) -> int | None:
    """Return a whole number in a range, or None; `InputError` for what is none."""
    if value is None:
        return None
    try:
        number = index(value)
    except TypeError:
        number = low - 1
    if value is True or not low <= number <= high:
        most = "" if high == inf else f" to {int(high)}"
        raise InputError(f"{what}={value!r}: write a whole number from {low}{most}")
    return number


def sizes(value: Sizes) -> tuple[Size, ...]:
    """Return sizes as a tuple; `InputError` for what is none."""
    if isinstance(value, str):
        return tuple(map(notation.size, names(value)))
    if isinstance(value, tuple) and value:
        return (_size(value),)
    several = value if isinstance(value, Iterable) else [value]
    return tuple(_size(one) for one in several)


def seconds(value: float | str | None) -> float | None:
    """Return a time in seconds, such as 90 or "90s"; `InputError` for what is none."""
    return None if value is None else notation.seconds(_text(value))


def share(value: float | str | None) -> float | None:
    """Return a percentage, such as 2 or "2%", as a fraction; `InputError` for what is none."""
    return None if value is None else notation.share(_text(value))


def selection(pattern: str, sizes: tuple[Size, ...], axes: Mapping[str, Names]) -> Selection:
    """Return what is named of each axis."""
    texts: dict[str, Any] = {axis: names(value) for axis, value in axes.items()}
    texts["strategies"] = tuple(map(Variant, texts["strategies"]))
    return Selection(pattern=pattern, sizes=sizes, **texts)


def _size(value: Any) -> Size:
    sides = value if isinstance(value, tuple) else (value,)
    return notation.size("x".join(map(_text, sides)))


def _text(value: Any) -> str:
    """Return a number as it is written on the command line: 1e6 as 1000000."""
    number = float(value) if isinstance(value, Real) and value is not True and value is not False else nan
    if isnan(number) or isinf(number):
        return str(value)
    return str(int(number)) if number.is_integer() else f"{number:f}".rstrip("0")
