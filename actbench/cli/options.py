"""The options that commands share. Those that select cases reach a command as one `Selection`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial, wraps
from typing import Any

import click
from click.core import ParameterSource

from actbench.cli.completion import complete
from actbench.cli.values import (
    Duration,
    InputsText,
    Margin,
    Names,
    Percent,
    SizeText,
    StrategyName,
    Threads,
    WholeNumber,
)
from actbench.errors import OptionsError
from actbench.model.inputs import STANDARD_NORMAL
from actbench.planning.selection import Selection
from actbench.runs.bounds import LARGEST_SEED

Command = Callable[..., Any]
"""The function of a command, before or after options are added to it."""

AXES = tuple(axis.name for axis in fields(Selection))
"""The parameters that select cases."""


def on_command_line(ctx: click.Context) -> frozenset[str]:
    """Name the parameters of a command that its command line gives; not those that settings give."""
    names = (parameter.name for parameter in ctx.command.params)
    return frozenset(name for name in names if name and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE)


@contextmanager
def usage_shown() -> Iterator[None]:
    """Let options that exclude each other end as a mistake that click finds does, with the command's usage."""
    try:
        yield
    except OptionsError as error:
        raise click.UsageError(str(error)) from None


# The user's own code


def load_for(ctx: click.Context, names: Iterable[str]) -> None:
    """Load the user's own code for as long as the command runs."""
    if names:
        from actbench import plugins

        ctx.call_on_close(plugins.unload)
        for name in dict.fromkeys(names):
            plugins.load(name)


def _load(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Load what the option names."""
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


_code_option = partial(
    click.option,
    "--load",
    multiple=True,
    metavar="FILE|PACKAGE",
    help="Run FILE.py, or import an installed package, and take activations, strategies, networks and backends from "
    "it too.",
)

user_code = _code_option(callback=_load, expose_value=False)
"""The option for code of the user's own, which is loaded when the command begins."""

code_of_commits = _code_option()
"""The same option of a command that loads it itself, from a commit."""

timeout = click.option(
    "--timeout",
    type=Duration(),
    callback=_allow,
    is_eager=True,  # before what is loaded
    help="Time that checking, compiling or timing a case may take, and code that is loaded. [default: 60s]",
)
"""The option for how long is too long."""


# Measuring

seed = click.option(
    "--seed", type=WholeNumber(min=0, max=LARGEST_SEED), help="Seed of inputs and order. [default: random]"
)


def inputs_of(what: str) -> Callable[[Command], Command]:
    """Return a decorator that adds the option for what numbers are drawn from, those of `what`."""
    return click.option(
        "--inputs",
        type=InputsText(),
        metavar="DISTRIBUTION|FILE.npy",
        help=f"What {what} is drawn from: normal:MEAN,SD, uniform:LOW,HIGH or the array of floats in FILE.npy. "
        f"[default: {STANDARD_NORMAL}]",
    )


inputs = inputs_of("z")
"""The option for what pre-activations are drawn from."""

max_call = click.option(
    "--max-call", type=Duration(), help="Leave out cases whose single call takes longer. [default: 500ms]"
)

quiet = click.option("-q", "--quiet", is_flag=True, help="No progress.")


def allowed_slowdowns(command: Command) -> Command:
    """Add the options that say what slowdown is not yet a regression."""
    margin = click.option(
        "--margin", type=Percent(), default="5", show_default=True, metavar="PCT", help="Allowed slowdown."
    )
    margins = click.option(
        "--margins", type=Margin(), multiple=True, metavar="GLOB=PCT", help="Another margin for the cases that match."
    )
    return margin(margins(command))


threads = click.option(
    "--threads",
    type=Threads(),
    help="Threads, or all: as many as processors. [default: all for numba-parallel; 1 for torch, torch-compile, "
    "jax, onednn and training steps, which take N too; the rest always have 1]",
)


def processors(command: Command) -> Command:
    """Add the options that say where workers run."""
    pin = click.option("--affinity", type=WholeNumber(min=0), metavar="CPU", help="Processor to pin workers to.")
    return pin(threads(command))


# Selecting


def selection(preset: str, code: Callable[[Command], Command] = user_code) -> Callable[[Command], Command]:
    """Return a decorator that adds the options which select cases, starting from `preset`; `code` is that of --load."""
    start = click.option(
        "--preset", default=preset, show_default=True, shell_complete=complete, help="What to start from."
    )
    return lambda command: _selecting(command, (start, *_named(*_op_and_size(), code=code)))


def selection_of_cases(command: Command) -> Command:
    """Add the options which select cases, out of those that there are."""
    return _selecting(command, _named(*_op_and_size()))


def selection_of_kernels(command: Command) -> Command:
    """Add the options which select kernels."""
    return _selecting(command, _named())


activations_option = partial(click.option, "-a", "--activation", "activations", multiple=True, type=Names("ACT"))
backends_option = partial(click.option, "-b", "--backend", "backends", multiple=True, type=Names("BACKEND"))
strategies_option = partial(
    click.option, "-s", "--strategy", "strategies", multiple=True, type=Names("STRATEGY", StrategyName())
)
dtypes_option = partial(click.option, "-d", "--dtype", "dtypes", multiple=True, type=Names("DTYPE"))


def _selecting(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    """Add the options, and let the command take what they say as its parameter `selection`."""

    @wraps(command)
    def selected(*arguments: Any, **values: Any) -> Any:
        pattern = values.pop("pattern")
        named = {axis: sum(values.pop(axis), ()) for axis in AXES if axis in values}
        return command(*arguments, selection=Selection(**named, pattern=pattern), **values)

    with_options: Command = selected
    for option in reversed(options):
        with_options = option(with_options)
    return with_options


def _named(
    *between: Callable[[Command], Command], code: Callable[[Command], Command] = user_code
) -> tuple[Callable[[Command], Command], ...]:
    """Return the options that name what cases are made of, with further ones before the last."""
    return (
        activations_option(help="Activations, e.g. logistic,tanh; names take globs: '*'."),
        backends_option(help="Backends, e.g. numpy,numba or 'numba*'."),
        strategies_option(help="Strategies, e.g. recompute,cached."),
        click.option(
            "--residual-dtype",
            "residual_dtypes",
            multiple=True,
            type=Names("DTYPE"),
            help="In addition to each strategy: keep its residuals as float16, bfloat16 or, of float64, float32.",
        ),
        dtypes_option(help="float32, float64; bfloat16, float16 in some backends."),
        *between,
        click.option("--filter", "pattern", default="*", metavar="GLOB", help="Only cases whose id matches."),
        code,
    )


def _op_and_size() -> tuple[Callable[[Command], Command], ...]:
    return (
        click.option("--op", "ops", multiple=True, type=Names("OP"), help="derivative, backward, step or second."),
        click.option(
            "-n",
            "--size",
            "sizes",
            multiple=True,
            type=Names("SIZE", SizeText()),
            help="Elements, e.g. 1000,1e6,64k, or shapes, e.g. 4096x4096.",
        ),
        click.option(
            "--operands",
            multiple=True,
            type=Names("STATE"),
            help="Where operands lie: warm (in cache), residuals-cold (residuals in memory), cold (all in memory).",
        ),
    )
