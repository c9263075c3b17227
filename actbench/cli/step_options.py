"""The options that select training steps, which reach a command as one `TrainingSelection`."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.options import (
    Command,
    activations_option,
    backends_option,
    dtypes_option,
    inputs_of,
    strategies_option,
    user_code,
)
from actbench.cli.values import Names, Rows, Threads
from actbench.model.training import Along, Optimizer

if TYPE_CHECKING:
    from actbench.planning.training import TrainingSelection

LISTS = ("networks", "activations", "backends", "strategies", "dtypes", "batches", "predictors")
"""Arguments and options that may be repeated, and take commas."""

OPTIONS = (
    click.argument("networks", nargs=-1, type=Names("NETWORK"), metavar="[NETWORK]..."),
    activations_option(help="Activations; names take globs: '*'. [default: logistic,tanh]"),
    backends_option(
        help="Backends of the products, and after a + of the activation. [default: numpy,numpy+numba-simd]"
    ),
    strategies_option(help="Strategies, and shipped, checkpoint, free. [default: all but textbook]"),
    dtypes_option(help="float32, float64, bfloat16, float16. [default: float32]"),
    click.option(
        "--batch",
        "batches",
        multiple=True,
        type=Names("ROWS", Rows()),
        help="Rows of a batch, e.g. 32,128. [default: 128]",
    ),
    click.option(
        "--optimizer",
        type=click.Choice([*map(str, Optimizer)]),
        default=str(Optimizer.SGD),
        show_default=True,
        help="Update.",
    ),
    click.option(
        "--operands",
        "predictors",
        multiple=True,
        type=Names("STATE"),
        help="Where operands lie when the activation is measured alone, to predict what a step gains: warm, "
        "residuals-cold or cold. [default: residuals-cold]",
    ),
    click.option(
        "--sweep",
        type=click.Choice(["batch", "width"]),
        help="Measure batches from 8 to 512, or the network with all widths from a sixteenth to twice, and say where "
        "the choice is worth more, and where less, than 1 % of a step.",
    ),
    click.option("--filter", "pattern", default="*", metavar="GLOB", help="Only steps whose id matches."),
    user_code,
    inputs_of("the input of the network"),
)

threads_of_steps = click.option(
    "--threads", type=Threads(), default="1", show_default=True, help="Threads of products and activations, or all."
)


def selecting_steps(command: Command) -> Command:
    """Add the options that select steps, and let the command take what they say as its parameter `selection`."""

    @wraps(command)
    def selected(*arguments: Any, **values: Any) -> Any:
        return command(*arguments, selection=_selection(values), **values)

    with_options: Command = selected
    for option in reversed(OPTIONS):
        with_options = option(with_options)
    return with_options


def _selection(options: dict[str, Any]) -> TrainingSelection:
    """Take what selects out of the options, lists of lists as lists."""
    from actbench.planning.training import TrainingSelection

    sweep = options.pop("sweep")
    if sweep == "batch" and any(options["batches"]):
        raise click.UsageError("--sweep batch measures batches of its own: leave --batch out")
    named: dict[str, Any] = {"pattern": options.pop("pattern"), "optimizer": Optimizer(options.pop("optimizer"))}
    named |= {name: sum(options.pop(name), ()) for name in LISTS}
    named["inputs"] = options.pop("inputs")
    selection = TrainingSelection(**{name: value for name, value in named.items() if value})
    return selection.swept(Along(sweep)) if sweep else selection
