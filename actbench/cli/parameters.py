"""What users write for sizes, times and lists, read strictly; and the options that select cases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from actbench.runs.limits import LONGEST, MOST_ELEMENTS

if TYPE_CHECKING:
    from actbench.planning.presets import Axes

NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,3})?)\s*([a-zA-Z%]*)", re.ASCII | re.IGNORECASE)

SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
TIMES = {"ms": Decimal("0.001"), "s": 1, "": 1, "m": 60, "min": 60, "h": 3600}

DEFAULT_TIMEOUT = 60.0
"""Seconds that a block may take in a round, where the user sets nothing else."""


class Size(click.ParamType):
    """An array size in elements: 1000, 1e6, 64k (64 000), 64Ki (65 536)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size."""
        if isinstance(value, int):
            return value
        number = _read(value, SIZES)
        if number is None or number != int(number) or not 1 <= number <= MOST_ELEMENTS:
            most = f"{MOST_ELEMENTS:.0e}".replace("+", "")
            why = f"write a whole number of elements such as 1000, 1e6 or 64k, at most {most}; commas separate sizes"
            self.fail(f"'{value}' is not a size: {why}", param, ctx)
        return int(number)


class Duration(click.ParamType):
    """A time in seconds: 90s, 2m, 1.5h, 500ms."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a time."""
        if isinstance(value, float):
            return value
        number = _read(value, TIMES)
        if number is None or not 0 < number <= LONGEST:
            self.fail(f"'{value}' is not a time: write for example 90s, 2m or 1.5h", param, ctx)
        return float(number)


class Percent(click.ParamType):
    """A share in percent: 2, 2%, 0.5%. Gives a fraction."""

    name = "pct"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a percentage."""
        if isinstance(value, float):
            return value
        number = _read(value, {"": 1, "%": 1})
        if number is None or not 0 < number <= 100:
            self.fail(f"'{value}' is not a percentage: write for example 2 or 0.5%", param, ctx)
        return float(number) / 100


class Margin(click.ParamType):
    """A glob over case ids and what these cases may get slower: '*/python/*=10'."""

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
    """A format of verdicts and the file that it goes to: 'junit=check.xml'."""

    name = "report"
    formats = ("markdown", "github", "junit", "json")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """Read a format and a path."""
        if isinstance(value, tuple):
            return value
        form, equals, path = value.partition("=")
        if form not in self.formats or not equals or not path:
            self.fail(f"'{value}' is not a report: write FORMAT=FILE with one of {', '.join(self.formats)}", param, ctx)
        return form, Path(path)


class Names(click.ParamType):
    """A comma-separated list."""

    name = "names"
    envvar_list_splitter: ClassVar[str] = ","

    def __init__(self, metavar: str, item: click.ParamType = click.STRING) -> None:
        """Read every part as `item`; `metavar` is shown in the help."""
        self._metavar = metavar
        self._item = item

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Name one part in the help."""
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


def _load(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Load what is named for as long as the command runs."""
    del param
    if not ctx.resilient_parsing:
        load_for(ctx, names)
    return names


def _allow(ctx: click.Context, param: click.Parameter, seconds: float | None) -> float | None:
    """Give the user's own code that much time, too."""
    del param
    if seconds and not ctx.resilient_parsing:
        from actbench import plugins

        plugins.allow(seconds)
        ctx.call_on_close(plugins.unload)
    return seconds


timeout = click.option(
    "--timeout",
    type=Duration(),
    callback=_allow,
    is_eager=True,  # before what is loaded
    help="Time a block may take in a round, and code that is loaded. [default: 60s]",
)
"""The option for how long is too long."""


def load_for(ctx: click.Context, names: Iterable[str]) -> None:
    """Load the user's own code for as long as the command runs."""
    if names:
        from actbench import plugins

        ctx.call_on_close(plugins.unload)
        for name in dict.fromkeys(names):
            plugins.load(name)


user_code = click.option(
    "--load",
    multiple=True,
    metavar="FILE|PACKAGE",
    callback=_load,
    help="Run FILE.py, or import an installed package, and take activations, strategies and backends from it too.",
)
"""The option for code of the user's own."""

AXES = ("activations", "backends", "strategies", "residual_dtypes", "ops", "dtypes", "sizes", "pattern")
"""The parameters of `selection`, without the preset."""


def _named(*between: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """Return the options that name what cases are made of, with further ones before the last."""
    return (
        click.option("-a", "--activation", "activations", multiple=True, type=Names("ACT"), help="Activations."),
        click.option("-b", "--backend", "backends", multiple=True, type=Names("BACKEND"), help="Backends."),
        click.option("-s", "--strategy", "strategies", multiple=True, type=Names("STRATEGY"), help="Strategies."),
        click.option(
            "--residual-dtype",
            "residual_dtypes",
            multiple=True,
            type=Names("DTYPE"),
            help="Beside each strategy: keep its residuals as float16, bfloat16 or, of float64, float32.",
        ),
        click.option("-d", "--dtype", "dtypes", multiple=True, type=Names("DTYPE"), help="float32 or float64."),
        *between,
        click.option("--filter", "pattern", default="*", metavar="GLOB", help="Only cases whose id matches."),
        user_code,
    )


def _added(options: Iterable[Callable[..., Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([*options]):
            command = option(command)
        return command

    return add


def names(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options which select kernels."""
    return _added(_named())(command)


def selection_of_cases(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options which select cases, out of those that there are."""
    return _added(_named(*_op_and_size()))(command)


def selection(preset: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the options which select cases, starting from `preset`."""
    start = click.option("--preset", default=preset, show_default=True, help="What to start from.")
    return _added((start, *_named(*_op_and_size())))


def _op_and_size() -> tuple[Callable[..., Any], ...]:
    return (
        click.option("--op", "ops", multiple=True, type=Names("OP"), help="derivative, backward or step."),
        click.option(
            "-n", "--size", "sizes", multiple=True, type=Names("SIZE", Size()), help="Elements: 1000, 1e6, 64k."
        ),
    )


def processors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where workers run."""
    pin = click.option("--affinity", type=click.IntRange(min=0), metavar="CPU", help="Processor to pin workers to.")
    share = click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Threads of the backends that have several. [default: as many as processors]",
    )
    return pin(share(command))


def given_axes(chosen: dict[str, Any], strategies: tuple[str, ...] = ()) -> dict[str, tuple[Any, ...]]:
    """Return the axes that the user chose, as text and whole numbers; types of residuals become strategies.

    `strategies` are those that these types are for where the user names none.
    """
    given: dict[str, tuple[Any, ...]] = {
        name: sum(chosen[name], ()) for name in AXES if name != "pattern" and chosen.get(name)
    }
    if types := given.pop("residual_dtypes", None):
        from actbench.model.residuals import variants

        given["strategies"] = variants(given.get("strategies") or strategies, types)
    return given


def axes(start: Axes, chosen: dict[str, Any]) -> Axes:
    """Return axes to start from, with those that the user chose in their place."""
    from dataclasses import replace

    from actbench.model.names import Dtype, Op, unknown_dtype

    given = given_axes(chosen, start.strategies)
    for name, kind, unknown_name in (("ops", Op, _unknown_op), ("dtypes", Dtype, unknown_dtype)):
        for value in given.get(name, ()):
            if value not in list(kind):
                raise unknown_name(value)
        if name in given:
            given[name] = tuple(kind(value) for value in given[name])
    return replace(start, **given)


def _unknown_op(name: str) -> Exception:
    from actbench.errors import unknown
    from actbench.model.names import Op

    return unknown("op", name, list(Op))


def _read(text: str, units: dict[str, Any]) -> Decimal | None:
    found = NUMBER.fullmatch(text.strip())
    if not found or found[2].lower() not in units:
        return None
    return Decimal(found[1]) * Decimal(units[found[2].lower()])
