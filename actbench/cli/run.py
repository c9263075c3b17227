"""``actbench run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from actbench.cli.measuring import Mode, all_tables, carry_out, directories, dry_run, limits, mode_taken, strict
from actbench.cli.options import (
    inputs,
    max_call,
    on_command_line,
    processors,
    quiet,
    seed,
    selection,
    timeout,
    usage_shown,
)

if TYPE_CHECKING:
    from actbench.runs.record import Engine


def _engine(_: click.Context, __: click.Parameter, value: str | None) -> Engine | None:
    from actbench.runs.record import Engine

    return None if value is None else Engine(value)


@click.command()
@selection("default")
@limits("2", "the preset's")
@seed
@inputs
@directories
@click.option(
    "--engine",
    type=click.Choice(["interleaved", "pyperf"]),
    callback=_engine,
    help="How cases are timed. [default: interleaved]",
)
@processors
@timeout
@max_call
@dry_run
@strict
@all_tables
@quiet
@click.pass_context
@usage_shown()
@mode_taken
def command(ctx: click.Context, /, *, mode: Mode, **options: Any) -> None:
    """Measure, and print which strategy is faster, by how much, and how surely.

    Writes run.json, pyperf.json, values.csv, probes.csv, cases.csv, speedups.csv, summary.md and, from four sizes
    on, crossovers.csv, and rewrites them after every round. Ctrl-C keeps what is finished; --resume goes on,
    and tries again what failed.

    \b
    Examples:
      actbench run
      actbench run -a logistic -b numpy,numba -n 10k --target 1
      actbench run --preset full --budget 30m -o results/overnight
      actbench run --inputs uniform:-20,20 -a tanh -n 10k
      actbench run --operands warm,residuals-cold,cold -a logistic -n 100k
      actbench run --filter '*/cached/*' --dry-run
      actbench run --resume results/overnight --budget 1h
    """
    from actbench.api.measuring import RUN
    from actbench.measure.requests import RunRequest

    carry_out(ctx, RunRequest(**options, named=on_command_line(ctx)), RUN, mode)
