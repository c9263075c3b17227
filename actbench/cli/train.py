"""``actbench train``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.measuring import RunMode, all_tables, carry_out, directories, dry_run, limits, mode_taken, strict
from actbench.cli.options import on_command_line, quiet, seed, timeout, usage_shown
from actbench.cli.step_options import selecting_steps, threads_of_steps
from actbench.cli.values import WholeNumber

if TYPE_CHECKING:
    from actbench.engine.training import PreparedTrain


@click.command()
@selecting_steps
@limits("0.7", "110s")
@seed
@directories
@click.option("--affinity", type=WholeNumber(min=0), metavar="CPU", help="Processor to pin workers to.")
@threads_of_steps
@timeout
@dry_run
@strict
@all_tables
@quiet
@click.pass_context
@usage_shown()
@mode_taken(RunMode)
def command(ctx: click.Context, /, *, mode: RunMode, **options: Any) -> None:
    """Measure training steps, and print what a strategy is worth in one, in time and in memory.

    A NETWORK has a name and its widths: dense:784-512, mlp:784-512-512-10 (the default), ffn:512-2048,
    glu-ffn:512-1376; see actbench list networks. A step is forward, loss, backward and update. Beside the strategies
    there are shipped (a framework's own activation and gradient), checkpoint (z is computed again), and free (dy is
    copied in place of dy g'(z): the limit of what a cheaper gradient can save, unless the step is compiled as a whole;
    never a choice).

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
    from actbench.engine.training import prepare, resumed

    request = TrainRequest(**options, named=on_command_line(ctx))
    carry_out(ctx, request, RunKind(prepare, resumed, _cautions), mode)


def _cautions(prepared: PreparedTrain) -> Iterator[str]:
    """Say where the budget is too short for an answer."""
    from actbench.report.prediction import warning

    request = prepared.request
    if request.budget and not request.rounds and (text := warning(prepared.prediction())):
        yield text
