"""``actbench train``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.measuring import Mode, all_tables, carry_out, directories, dry_run, limits, mode_taken, strict
from actbench.cli.options import inputs_of, on_command_line, quiet, seed, timeout, usage_shown, user_code
from actbench.cli.values import Names, Rows, StrategyName, Threads
from actbench.model.training import Along, Optimizer

if TYPE_CHECKING:
    from actbench.engine.training import PreparedTrain
    from actbench.planning.training import TrainingSelection


@click.command()
@click.argument("networks", nargs=-1, type=Names("NETWORK"), metavar="[NETWORK]...")
@click.option(
    "-a",
    "--activation",
    "activations",
    multiple=True,
    type=Names("ACT"),
    help="Activations; names take globs: '*'. [default: logistic,tanh]",
)
@click.option(
    "-b",
    "--backend",
    "backends",
    multiple=True,
    type=Names("BACKEND"),
    help="Backends of the products, and after a + of the activation. [default: numpy,numpy+numba-simd]",
)
@click.option(
    "-s",
    "--strategy",
    "strategies",
    multiple=True,
    type=Names("STRATEGY", StrategyName()),
    help="Strategies, and shipped, checkpoint, free. [default: all but textbook]",
)
@click.option(
    "-d",
    "--dtype",
    "dtypes",
    multiple=True,
    type=Names("DTYPE"),
    help="float32, float64, bfloat16, float16. [default: float32]",
)
@click.option(
    "--batch",
    "batches",
    multiple=True,
    type=Names("ROWS", Rows()),
    help="Rows of a batch, e.g. 32,128. [default: 128]",
)
@click.option(
    "--optimizer",
    type=click.Choice([*map(str, Optimizer)]),
    default=str(Optimizer.SGD),
    show_default=True,
    help="Update.",
)
@click.option(
    "--operands",
    "predictors",
    multiple=True,
    type=Names("STATE"),
    help="Where operands lie when the activation is measured alone, to predict what a step gains: warm, "
    "residuals-cold or cold. [default: residuals-cold]",
)
@click.option(
    "--sweep",
    type=click.Choice(["batch", "width"]),
    help="Measure batches from 8 to 512, or the network with all widths from a sixteenth to twice, and say where the "
    "choice is worth more, and where less, than 1 % of a step.",
)
@click.option("--filter", "pattern", default="*", metavar="GLOB", help="Only steps whose id matches.")
@user_code
@limits("0.7", "110s")
@seed
@inputs_of("the input of the network")
@directories
@click.option("--affinity", type=click.IntRange(min=0), metavar="CPU", help="Processor to pin workers to.")
@click.option(
    "--threads", type=Threads(), default="1", show_default=True, help="Threads of products and activations, or all."
)
@timeout
@dry_run
@strict
@all_tables
@quiet
@click.pass_context
@usage_shown()
@mode_taken
def command(ctx: click.Context, /, *, mode: Mode, **options: Any) -> None:
    """Measure training steps, and print what a strategy is worth in one, in time and in memory.

    A NETWORK has a name and its widths: dense:784-512, mlp:784-512-512-10 (the default), ffn:512-2048,
    glu-ffn:512-1376; see actbench list networks. A step is forward, loss, backward and update. Beside the strategies
    there are shipped (a framework's own activation and gradient), checkpoint (z is computed again), and free (no
    gradient of the activation at all: the limit of what a cheaper one can save, and never a choice).

    Writes what 'actbench run' writes, and parts.csv, gains.csv and memory.csv, and with enough batches or widths
    sweep.csv. Ctrl-C keeps what is finished; --resume goes on.

    \b
    Examples:
      actbench train
      actbench train ffn:256-1024 --batch 256 -a gelu,silu -b torch
      actbench train mlp:784-512-512-10 --batch 32,128,512 -a tanh
      actbench train --sweep batch --budget 10m -s recompute,cached,free
      actbench train --resume latest --budget 10m
    """
    from actbench.api.running import RunKind
    from actbench.engine.requests import TrainRequest
    from actbench.engine.training import guaranteed_rounds, prepare, resumed

    request = TrainRequest(selection=_selection(options), **options, named=on_command_line(ctx))
    carry_out(ctx, request, RunKind(prepare, resumed, guaranteed_rounds, _cautions), mode)


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


LISTS = ("networks", "activations", "backends", "strategies", "dtypes", "batches", "predictors")
"""Arguments and options that may be repeated, and take commas."""


def _cautions(prepared: PreparedTrain) -> Iterator[str]:
    """Say where the budget is too short for an answer."""
    from actbench.report.prediction import warning

    request = prepared.request
    if request.budget and not request.rounds and (text := warning(prepared.prediction())):
        yield text
