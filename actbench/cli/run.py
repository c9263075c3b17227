"""``actbench run``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
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
from actbench.cli.values import Duration, Percent
from actbench.runs.validity import MOST_ROUNDS

if TYPE_CHECKING:
    from actbench.measure.preparing import PreparedRun
    from actbench.measure.requests import RunRequest
    from actbench.measure.session import Seams
    from actbench.model.events import Event
    from actbench.runs.record import Engine, Record
    from actbench.runs.writer import Writer


def _engine(_: click.Context, __: click.Parameter, value: str | None) -> Engine | None:
    from actbench.runs.record import Engine

    return None if value is None else Engine(value)


@click.command()
@selection("default")
@click.option(
    "--rounds",
    type=click.IntRange(min=1, max=MOST_ROUNDS),
    help="Exactly so many rounds, whatever the target; with --budget, as many of them as it has time for.",
)
@click.option("--target", type=Percent(), help="Stop when every speedup's 95 % interval is within ± this. [default: 2]")
@click.option(
    "--budget",
    type=Duration(),
    help="Time the run may take, e.g. 90s or 10m, compiling and checking kernels included; one round is measured in "
    "any case. [default: the preset's]",
)
@seed
@inputs
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Directory of the run. [default: under results/]")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the run in DIR, or with 'latest', complete or not; what failed is tried again.",
)
@click.option(
    "--engine",
    type=click.Choice(["interleaved", "pyperf"]),
    callback=_engine,
    help="How cases are timed. [default: interleaved]",
)
@processors
@timeout
@max_call
@click.option("--dry-run", is_flag=True, help="Print the cases and the predicted duration, and measure nothing.")
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
    from actbench.errors import LoadedCodeError, WrongKernelError
    from actbench.measure.preparing import guaranteed_rounds, prepare
    from actbench.measure.requests import RunRequest
    from actbench.measure.session import Seams, Session
    from actbench.report import terminal
    from actbench.report.progress import Progress
    from actbench.report.publish import publish
    from actbench.runs.record import Status

    seams: Seams = ctx.obj or Seams()
    started = seams.clock()
    request = RunRequest(**options, named=on_command_line(ctx))
    if dry_run:
        if resume is not None:
            raise click.UsageError("--dry-run shows a new run: leave --resume out")
        _print(prepare(request))
        return
    end_as_by_ctrl_c()
    if resume is None:
        opened = _begun(request, output, seams, quiet=quiet)
    elif output is None:
        opened = _resumed(ctx, request, resume, seams)
    else:
        raise click.UsageError("--resume goes on in its own directory: leave -o out")
    with opened as writer:
        session = Session(writer.record, writer.times, started, guaranteed_rounds(request), seams)
        status = Status.INTERRUPTED
        try:
            with Progress(quiet=quiet) as progress:
                for event in session.events():
                    progress.show(event)
                    _write(event, writer)
            status = Status.COMPLETE
        except KeyboardInterrupt:
            more = f"actbench run --resume {writer.directory} goes on"
            click.echo(f"interrupted: what is finished is kept; {more}", err=True)
        except (WrongKernelError, LoadedCodeError):
            status = Status.REFUSED
            raise
        finally:
            writer.close(status, seams.clock() - started)
            summary = publish(writer.directory, writer.record, writer.times)
    try:
        terminal.show(summary)
    finally:
        click.echo(f"\nwritten to {writer.directory}", err=True)
    if status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    _fail_for(writer.record)


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


def _print(prepared: PreparedRun) -> None:
    """Print the cases of a plan, what is left out, and how long it should take."""
    from actbench.report.numbers import counted
    from actbench.report.prediction import sentence
    from actbench.report.remarks import left_out_lines

    plan = prepared.plan
    for case in plan.cases:
        click.echo(case.id)
    click.echo("")
    for line in left_out_lines(plan.left_out):
        click.echo(line)
    click.echo(f"inputs from {plan.inputs}")
    cases, blocks = counted(len(plan.cases), "case"), counted(len(plan.blocks), "block")
    click.echo(f"{cases} in {blocks}; {sentence(prepared.prediction())}")


def _write(event: Event, writer: Writer) -> None:
    """Write what happened; after a round, the tables too."""
    from actbench.model.events import RoundDone
    from actbench.report.publish import publish

    writer.take(event)
    if isinstance(event, RoundDone):
        publish(writer.directory, writer.record, writer.times)


def _fail_for(record: Record) -> None:
    """Leave with the exit code for failed benchmarks, if any."""
    from actbench.errors import BenchmarkError

    if record.failures:
        names = ", ".join(dict.fromkeys(failure.block for failure in record.failures))
        raise BenchmarkError(f"failed: {names} (see above); the rest is complete")
