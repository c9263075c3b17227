"""Parameter types for sizes, times, percentages and lists, which are read strictly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, isfinite
from pathlib import Path
from typing import Any, ClassVar

import click
from click.shell_completion import CompletionItem

from actbench.api import notation
from actbench.cli.completion import complete
from actbench.errors import InputError
from actbench.model.inputs import Inputs
from actbench.model.variants import Variant


class Notation(click.ParamType):
    """What a function of `actbench.api.notation` reads; a value that is not text has been read already."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        """Take the name of the type in the help, and the function."""
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


Rows = partial(Notation, "rows", notation.rows)
SizeText = partial(Notation, "size", notation.size)
Duration = partial(Notation, "time", notation.seconds)
Percent = partial(Notation, "pct", notation.share)
RelativeError = partial(Notation, "error", notation.relative_error)
Bound = partial(Notation, "number", notation.bound)
Threads = partial(Notation, "threads", notation.threads)
ShardText = partial(Notation, "k/n", notation.shard)
InputsText = partial(Notation, "inputs", Inputs.parse)


class WholeNumber(click.IntRange):
    """A whole number in a range, which the message names where it is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            to = "on" if self.max is None else f"to {self.max}"
            self.fail(f"'{value}' is not a whole number from {self.min} {to}", param, ctx)


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


class PathName(click.Path):
    """The name of a file or a directory, as a path; not an empty one, as of an unset variable of a shell."""

    def __init__(self) -> None:
        """Take any other name, of what exists or does not."""
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a name; `InputError` for an empty one, by which the current directory would be meant."""
        if value == "":
            named = param.opts[0] if isinstance(param, click.Option) else "an argument"
            raise InputError(f"{named} is empty, as a variable of the shell that is not set is: name a path, or '.'")
        return super().convert(value, param, ctx)


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

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return what the last name of a list may be."""
        return complete(ctx, param, incomplete)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Read a list."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        if not all(parts):
            self.fail(f"'{value}' has an empty part: write names with commas between them", param, ctx)
        try:
            return tuple(self._item.convert(part, param, ctx) for part in parts)
        except click.BadParameter as error:
            if not isinstance(self._item, Notation):
                raise
            self.fail(f"{error.message}; commas separate several", param, ctx)
