"""Parameter types for sizes, times, percentages and lists, which are read strictly."""

from __future__ import annotations

import re
from decimal import Decimal
from math import inf, isfinite, prod
from pathlib import Path
from typing import Any, ClassVar

import click

from actbench.errors import InputError
from actbench.model.inputs import Inputs
from actbench.model.sizes import Shape, Size
from actbench.model.variants import Variant
from actbench.runs.bounds import LONGEST_SECONDS, MOST_ELEMENTS

NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,3})?)\s*([a-zA-Z%]*)", re.ASCII | re.IGNORECASE)

SIZE_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
TIME_UNITS = {"ms": Decimal("0.001"), "s": 1, "": 1, "m": 60, "min": 60, "h": 3600}


MOST = f"at most {MOST_ELEMENTS:.0e}; commas separate sizes".replace("+", "")
"""Part of what to write as a size."""


class Rows(click.ParamType):
    """The rows of a batch: 32, 1e3, 1k (1 000), 1Ki (1 024)."""

    name = "rows"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number."""
        if isinstance(value, int):
            return value
        number = _whole(value)
        if number is None or number > MOST_ELEMENTS:
            most = f"{MOST_ELEMENTS:.0e}".replace("+", "")
            why = f"write a whole number such as 32 or 1k, from 1 to {most}; commas separate batches"
            self.fail(f"'{value}' is not a number of rows: {why}", param, ctx)
        return number


class SizeText(click.ParamType):
    """The size of an array: a number of elements, 1000, 1e6, 64k (64 000) or 64Ki (65 536), or a shape, 4096x4096."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        """Read a size."""
        if isinstance(value, Size):
            return value
        sides = [_whole(side) for side in value.split("x")]
        elements = prod(side or 0 for side in sides)
        if not 1 <= elements <= MOST_ELEMENTS:
            why = f"write a whole number of elements such as 1000, 1e6 or 64k, or a shape such as 4096x1024, {MOST}"
            self.fail(f"'{value}' is not a size: {why}", param, ctx)
        return Size(elements) if len(sides) == 1 else Size.of(Shape("x".join(map(str, sides))))


class Duration(click.ParamType):
    """A time in seconds: 90s, 2m, 1.5h, 500ms."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a time."""
        if isinstance(value, float):
            return value
        number = _read(value, TIME_UNITS)
        if number is None or not 0 < number <= LONGEST_SECONDS:
            self.fail(f"'{value}' is not a time: write for example 90s, 2m or 1.5h", param, ctx)
        return float(number)


class Percent(click.ParamType):
    """A percentage: 2, 2%, 0.5%. Returns a fraction."""

    name = "pct"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a percentage."""
        if isinstance(value, float):
            return value
        number = _read(value, {"": 1, "%": 1})
        if number is None or not 0 < number <= 100:
            self.fail(f"'{value}' is not a percentage: write for example 2 or 0.5%", param, ctx)
        return float(number) / 100


class Range(click.ParamType):
    """Two numbers, LOW:HIGH."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Read a range."""
        if isinstance(value, tuple):
            return value
        low, _, high = value.partition(":")
        try:
            bounds = float(low), float(high)
        except ValueError:
            bounds = inf, -inf
        if not (isfinite(bounds[0]) and isfinite(bounds[1]) and bounds[0] < bounds[1]):
            self.fail(f"'{value}' is not a range: write for example -8:8, the lower end first", param, ctx)
        return bounds


class Threads(click.ParamType):
    """A number of threads, or all: None."""

    name = "threads"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Read a number of threads."""
        if isinstance(value, int) or value == "all":
            return value if isinstance(value, int) else None
        if not (value.isascii() and value.isdecimal() and int(value) > 0):
            self.fail(f"'{value}' is not a number of threads: write for example 1, or all", param, ctx)
        return int(value)


class Margin(click.ParamType):
    """A glob over case ids, and the allowed slowdown of these cases: '*/python/*=10'."""

    name = "margin"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Read a glob and its percentage."""
        if isinstance(value, tuple):
            return value
        glob, equals, percentage = value.rpartition("=")
        if not equals or not glob:
            self.fail(f"'{value}' is not a margin of some cases: write for example '*/python/*=10'", param, ctx)
        return glob, Percent().convert(percentage, param, ctx)


class ReportFile(click.ParamType):
    """A format of verdicts, and the file for it: 'junit=check.xml'."""

    name = "report"
    formats = ("text", "markdown", "github", "junit", "json")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """Read a format and a path."""
        if isinstance(value, tuple):
            return value
        form, equals, path = value.partition("=")
        if form not in self.formats or not equals or not path:
            self.fail(f"'{value}' is not a report: write FORMAT=FILE with one of {', '.join(self.formats)}", param, ctx)
        return form, Path(path)


class InputsText(click.ParamType):
    """What pre-activations are drawn from: uniform:-8,8, or z.npy."""

    name = "inputs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Inputs:
        """Read a distribution or the name of a file."""
        if isinstance(value, Inputs):
            return value
        try:
            return Inputs.parse(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


class StrategyName(click.ParamType):
    """A strategy, and the type of its residuals where that is narrower: cached, cached:float16."""

    name = "strategy"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Variant:
        """Read a strategy; whether there is one of its name depends on what is loaded, and is not known yet."""
        del param, ctx
        return value if isinstance(value, Variant) else Variant(value)


class Names(click.ParamType):
    """A comma-separated list."""

    name = "names"
    envvar_list_splitter: ClassVar[str] = ","

    def __init__(self, metavar: str, item: click.ParamType = click.STRING) -> None:
        """Read every part as `item`; the help shows `metavar`."""
        self._metavar = metavar
        self._item = item

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the name of one part in the help."""
        del param, ctx
        return self._metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Read a list."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        if not all(parts):
            self.fail(f"'{value}' has an empty part: write names with commas between them", param, ctx)
        return tuple(self._item.convert(part, param, ctx) for part in parts)


def _whole(text: str) -> int | None:
    """Return a positive whole number; None for other text."""
    number = _read(text, SIZE_UNITS)
    return None if number is None or number < 1 or number != int(number) else int(number)


def _read(text: str, units: dict[str, Any]) -> Decimal | None:
    match = NUMBER.fullmatch(text.strip())
    if not match or match[2].lower() not in units:
        return None
    return Decimal(match[1]) * Decimal(units[match[2].lower()])
