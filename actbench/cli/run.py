"""``actbench run``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.measuring import directories, dry_run, limits, measure, print_plan
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
    from actbench.measure.preparing import PreparedRun
    from actbench.measure.requests import RunRequest
    from actbench.measure.session import Seams
    from actbench.runs.record import Engine
    from actbench.runs.writer import Writer


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
@quiet
@click.pass_context
@usage_shown()
def command(
    ctx: click.Context, /, *, output: Path | None, resume: Path | None, dry_run: bool, quiet: bool, **options: Any
) -> None:
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
    from actbench.measure.preparing import guaranteed_rounds, prepare
    from actbench.measure.requests import RunRequest
    from actbench.measure.session import Seams

    seams: Seams = ctx.obj or Seams()
    started = seams.clock()
    request = RunRequest(**options, named=on_command_line(ctx))
    if dry_run:
        if resume is not None:
            raise click.UsageError("--dry-run shows a new run: leave --resume out")
        prepared = prepare(request)
        print_plan(prepared.plan, prepared.prediction())
        return
    end_as_by_ctrl_c()
    if resume is None:
        opened = _begun(request, output, seams, quiet=quiet)
    elif output is None:
        opened = _resumed(ctx, request, resume, seams)
    else:
        raise click.UsageError("--resume goes on in its own directory: leave -o out")
    measure(opened, started, guaranteed_rounds(request), seams, quiet=quiet)


def _begun(request: RunRequest, output: Path | None, seams: Seams, *, quiet: bool) -> AbstractContextManager[Writer]:
    """Begin a run."""
    from actbench.measure.preparing import prepare
    from actbench.runs.writer import create

    prepared = prepare(request)
    if not quiet:
        _warn(prepared)
    return create(output, prepared.record(seams.start_worker))


def _resumed(ctx: click.Context, request: RunRequest, directory: Path, seams: Seams) -> AbstractContextManager[Writer]:
    """Go on with a run, and unload in the end what is loaded for it."""
    from actbench import plugins
    from actbench.measure.resuming import resumed

    ctx.call_on_close(plugins.unload)
    return resumed(directory, request, seams.start_worker)


def _warn(prepared: PreparedRun) -> None:
    """Say what of the options does not help."""
    from actbench.report.prediction import warning

    if prepared.threads_are_unused:
        unused = f"--threads {prepared.threads} changes nothing"
        click.echo(f"{unused}: no backend of this run uses several threads", err=True)
    if prepared.budget_is_limit and (text := warning(prepared.prediction())):
        click.echo(text, err=True)
