"""``actbench run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.formats import TEXTS, format_option
from actbench.cli.measuring import (
    RunMode,
    all_tables,
    carry_out,
    directories,
    dry_run,
    limits,
    mode_taken,
    print_plan,
    refuse_resume,
    strict,
)
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
from actbench.cli.values import PathName, ShardText
from actbench.errors import OptionsError

if TYPE_CHECKING:
    from actbench.engine.planned_elsewhere import PlannedElsewhere
    from actbench.engine.requests import RunRequest
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
@format_option(TEXTS, "; json, of a --dry-run, is the plan for --plan")
@click.option("--plan", type=PathName(), metavar="FILE", help="Measure the plan in this file.")
@click.option("--shard", type=ShardText(), help="Only the K-th of N parts of it; 'actbench merge' joins the runs.")
@strict
@all_tables
@quiet
@click.pass_context
@usage_shown()
@mode_taken(RunMode)
def command(
    ctx: click.Context, /, *, mode: RunMode, form: str, plan: Path | None, shard: tuple[int, int] | None, **options: Any
) -> None:
    """Measure, and print which strategy is faster, by how much, and how surely.

    Writes run.json, pyperf.json, values.csv, probes.csv, cases.csv, speedups.csv, summary.md and, from four sizes
    on, crossovers.csv, and rewrites them after rounds. Ctrl-C keeps what is finished; --resume goes on,
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
      actbench run --preset full --dry-run --format json > plan.json
      actbench run --plan plan.json --shard 2/5 -o results/shard2
    """
    from actbench.api.measuring import RUN
    from actbench.engine.requests import RunRequest

    planned = _planned(plan, shard, mode)
    request = RunRequest(**options, named=on_command_line(ctx), planned=planned)
    if form == "json":
        _print_file(request, mode)
    else:
        carry_out(ctx, request, RUN, mode)


def _planned(path: Path | None, shard: tuple[int, int] | None, mode: RunMode) -> PlannedElsewhere | None:
    """Read the plan that is to be measured; None where none is named."""
    from actbench.engine.planned_elsewhere import PlannedElsewhere
    from actbench.runs import plan_file

    if path is None:
        if shard:
            raise OptionsError("--shard is a part of a plan in a file: name it with --plan")
        return None
    if mode.resume is not None:
        raise OptionsError("--resume goes on with the plan that the run has: leave --plan and --shard out")
    return PlannedElsewhere(plan_file.read(path), shard or (1, 1))


def _print_file(request: RunRequest, mode: RunMode) -> None:
    """Print the plan as a file."""
    from actbench.engine.preparing import prepare

    if not mode.dry_run or request.planned:
        raise OptionsError("--format json is the plan of a --dry-run, without --plan: add --dry-run")
    refuse_resume(mode)
    print_plan(prepare(request, elsewhere=True), "json")
