"""What Python gives by argument: one name or several, a size as a number or a shape, a time in seconds or as text.

Every function here takes the name of the argument first, and raises `InputError` with it for what cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from math import inf, isinf, isnan, nan
from numbers import Real
from operator import index
from os import PathLike, fspath
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from actbench.api import notation
from actbench.errors import InputError, printable, unknown
from actbench.model.sizes import Size
from actbench.model.variants import Variant
from actbench.planning.selection import Selection

T = TypeVar("T")
U = TypeVar("U")

Names = str | Iterable[str]
"""One name, several with commas between them, or an iterable of names; globs among them."""

Files = str | PathLike[str] | Iterable[str | PathLike[str]]
"""One file or package, or several."""

SizeLike = int | float | str | tuple[int, ...]
"""A number of elements, a shape, or either as text: 64_000, (4096, 1024), "64k"."""

Sizes = SizeLike | Iterable[SizeLike]
"""One size or several; a tuple is the shape of one."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def refused(what: str, value: object, way_out: str) -> InputError:
    """Return the error for an argument that cannot be used."""
    return InputError(f"{what}={shown(value)}: {way_out}")


def shown(value: object) -> str:
    """Return a value in a line of an error."""
    try:
        return printable(_SHORT.repr(value))
    except ValueError:  # Python writes no int of more than 4300 digits
        return f"<{type(value).__name__}>"


def names(what: str, value: Any) -> tuple[str, ...]:
    """Return names as a tuple."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else several(value)
    if not all(isinstance(part, str) and part for part in parts):
        raise refused(what, value, "pass names, or one text with commas between them; leave it out for the default")
    return tuple(map(str, parts))


def name(what: str, value: str, known: Iterable[str]) -> str:
    """Return one of the known names."""
    known = [*known]
    if not isinstance(value, str):
        raise refused(what, value, f"pass a name: {', '.join(known)}")
    if value not in known:
        raise unknown(what, value, known)
    return value


def text(what: str, value: str | None, example: str) -> str | None:
    """Return a text, or None."""
    if value is not None and not isinstance(value, str):
        raise refused(what, value, f"pass a text, such as {example!r}")
    return value


def path(what: str, value: str | PathLike[str]) -> Path:
    """Return the path of a file or a directory."""
    if not _is_path(value) or not fspath(value):
        raise refused(what, value, "pass a path, as a text or a pathlib.Path")
    return Path(value)


def files(what: str, value: Files) -> tuple[str, ...]:
    """Return names of files or packages as a tuple."""
    items = several(value)
    if not all(map(_is_path, items)):
        raise refused(what, value, "pass the path of a Python file, the name of a package, or a list of these")
    return tuple(map(fspath, items))


def whole(what: str, value: Any, low: int, high: float = inf) -> int | None:
    """Return a whole number in a range, or None."""
    if value is None:
        return None
    try:
        number = index(value)
    except TypeError:
        number = low - 1
    if value is True or not low <= number <= high:
        most = "" if high == inf else f" to {int(high)}"
        raise refused(what, value, f"pass a whole number from {low}{most}")
    return number


def flag(what: str, value: bool) -> bool:  # noqa: FBT001  # the value of an argument
    """Return whether something is wanted."""
    if not isinstance(value, bool):
        raise refused(what, value, "pass True or False")
    return value


def sizes(what: str, value: Sizes) -> tuple[Size, ...]:
    """Return sizes as a tuple."""
    items = (
        value.split(",")
        if isinstance(value, str)
        else several([value] if isinstance(value, tuple) and value else value)
    )
    return tuple(_read(what, one, _size, 'numbers of elements, texts such as "64k", or shapes') for one in items)


def seconds(what: str, value: float | str | None) -> float | None:
    """Return a time in seconds, such as 90 or "90s"."""
    return (
        None
        if value is None
        else _read(what, value, lambda time: notation.seconds(_text(time)), 'seconds, or a text such as "2m"')
    )


def share(what: str, value: float | str | None) -> float | None:
    """Return a percentage, such as 2 or "2%", as a fraction."""
    return (
        None
        if value is None
        else _read(what, value, lambda percent: notation.share(_text(percent)), 'percent, or a text such as "2%"')
    )


def parsed(what: str, value: U, read: Callable[[U], T]) -> T:
    """Return what `read` makes of a value."""
    try:
        return read(value)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def selection(pattern: str | None, sizes: tuple[Size, ...], axes: Mapping[str, Names]) -> Selection:
    """Return what is named of each axis."""
    texts: dict[str, Any] = {axis: names(axis, value) for axis, value in axes.items()}
    texts["strategies"] = tuple(map(Variant, texts["strategies"]))
    glob = text("pattern", pattern, "logistic/*")
    return Selection(pattern="*" if glob is None else glob, sizes=sizes, **texts)


def several(value: Any) -> list[Any]:
    """Return the items of an iterable; anything else, and a text, is one item."""
    return [*value] if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]


def _is_path(value: object) -> bool:
    place = fspath(value) if isinstance(value, str | PathLike) else None
    return isinstance(place, str) and bool(place) and "\0" not in place


def _read(what: str, value: Any, read: Callable[[Any], T], form: str) -> T:
    if isinstance(value, bool) or not isinstance(value, str | Real | tuple):
        raise refused(what, value, f"pass {form}")
    return parsed(what, value, read)


def _size(value: Any) -> Size:
    sides = value if isinstance(value, tuple) else (value,)
    return notation.size("x".join(map(_text, sides)))


def _text(value: Any) -> str:
    """Return a number as it is written on the command line: 1e6 as 1000000."""
    try:
        number = float(value) if isinstance(value, Real) else nan
    except OverflowError:  # of an int beyond float64
        number = inf
    if isnan(number) or isinf(number):
        return value if isinstance(value, str) else shown(value)
    return str(int(number)) if number.is_integer() else f"{Decimal(repr(number)):f}"
