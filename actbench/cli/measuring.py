"""What ``actbench run`` and ``actbench train`` have in common: measure, write, and end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.options import Command
from actbench.cli.values import Duration, Percent
from actbench.runs.bounds import MOST_ROUNDS

if TYPE_CHECKING:
    from actbench.measure.launch import StartWorker
    from actbench.measure.session import Seams, Session
    from actbench.model.events import Event
    from actbench.model.plan import Plan
    from actbench.planning.prediction import Prediction, StockPrediction
    from actbench.report.table import Summary
    from actbench.runs.record import Record
    from actbench.runs.writer import Writer


def limits(target: str, budget: str) -> Callable[[Command], Command]:
    """Return a decorator that adds the options which end a run, with the texts of their defaults."""

    def add(command: Command) -> Command:
        by_rounds = click.option(
            "--rounds",
            type=click.IntRange(min=1, max=MOST_ROUNDS),
            help="Exactly so many rounds, whatever the target; with --budget, as many of them as it has time for.",
        )
        by_target = click.option(
            "--target",
            type=Percent(),
            help=f"Stop when every speedup's 95 % interval is within ± this. [default: {target}]",
        )
        by_budget = click.option(
            "--budget",
            type=Duration(),
            help="Time the run may take, e.g. 90s or 10m, compiling and checking kernels included; one round is "
            f"measured in any case. [default: {budget}]",
        )
        return by_rounds(by_target(by_budget(command)))

    return add


def directories(command: Command) -> Command:
    """Add the options that name a new run's directory, and one to go on in."""
    new = click.option(
        "-o", "--output", type=click.Path(path_type=Path), help="Directory of the run. [default: under results/]"
    )
    old = click.option(
        "--resume",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Go on with the run in DIR, or with 'latest', complete or not; what failed is tried again.",
    )
    return new(old(command))


dry_run = click.option(
    "--dry-run", is_flag=True, help="Print the cases and the predicted duration, and measure nothing."
)


strict = click.option(
    "--strict",
    is_flag=True,
    help="Measure nothing where a kernel is wrong, or cannot be compiled or run. [default: measure the others]",
)


R = TypeVar("R")
"""A type of requests."""

P = TypeVar("P", bound="Planned")
"""What these are prepared to."""


class Planned(Protocol):
    """A run that can begin."""

    @property
    def plan(self) -> Plan:
        """What is measured."""

    def prediction(self) -> Prediction | StockPrediction:
        """Return how long it should take."""

    def record(self, start_worker: StartWorker) -> Record:
        """Return the record that it begins with, of this host."""


@dataclass(frozen=True, slots=True)
class RunKind(Generic[R, P]):
    """What is particular to runs of a command: its requests, and what they are prepared to."""

    prepare: Callable[[R], P]
    """Plans a run."""
    resumed: Callable[[Path, R, StartWorker], AbstractContextManager[Writer]]
    """Opens the run in a directory, to go on with it."""
    guaranteed_rounds: Callable[[R], int]
    """Number of rounds that are measured even beyond the budget."""
    warn: Callable[[P], None]
    """Says what of the options does not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """The options of either command that say what to do with a request."""

    output: Path | None
    resume: Path | None
    dry_run: bool
    strict: bool
    """Whether nothing is measured where a kernel does not pass its check."""
    quiet: bool


def mode_taken(command: Command) -> Command:
    """Let a command take what these options say as its parameter `mode`."""

    @wraps(command)
    def taking(*arguments: Any, **values: Any) -> Any:
        return command(*arguments, mode=Mode(**{one.name: values.pop(one.name) for one in fields(Mode)}), **values)

    return taking


def carry_out(ctx: click.Context, request: R, kind: RunKind[R, P], mode: Mode) -> None:
    """Measure a new run, go on with one, or print what would be measured."""
    from actbench import plugins
    from actbench.measure.session import Seams
    from actbench.runs.writer import create

    seams: Seams = ctx.obj or Seams()
    started = seams.clock()
    if mode.dry_run:
        if mode.resume is not None:
            raise click.UsageError("--dry-run shows a new run: leave --resume out")
        prepared = kind.prepare(request)
        _print_plan(prepared.plan, prepared.prediction())
        return
    end_as_by_ctrl_c()
    if mode.resume is not None and mode.output is not None:
        raise click.UsageError("--resume goes on in its own directory: leave -o out")
    if mode.resume is not None:
        ctx.call_on_close(plugins.unload)  # of what is loaded for it
        opened = kind.resumed(mode.resume, request, seams.start_worker)
    else:
        prepared = kind.prepare(request)
        if not mode.quiet:
            kind.warn(prepared)
        opened = create(mode.output, prepared.record(seams.start_worker))
    _measure(opened, started, kind.guaranteed_rounds(request), seams, mode)


def _measure(opened: AbstractContextManager[Writer], started: float, min_rounds: int, seams: Seams, mode: Mode) -> None:
    """Do the remaining work of a run, and print its summary.

    `KeyboardInterrupt` where Ctrl-C ended it, `BenchmarkError` where a block failed or a kernel did.
    """
    from actbench.measure.session import Session
    from actbench.report import terminal

    with opened as writer:
        session = Session(writer.record, writer.times, started, min_rounds, seams, mode.strict)
        summary, interrupted = measured(session, writer, quiet=mode.quiet)
    try:
        terminal.show(summary)
    finally:
        click.echo(f"\nwritten to {writer.directory}", err=True)
    if interrupted:
        raise KeyboardInterrupt
    fail_for(writer.record)


def measured(session: Session, writer: Writer, *, quiet: bool) -> tuple[Summary, bool]:
    """Do the work of a session and write it; return the summary, and whether Ctrl-C ended it.

    `RefusedError` or `InputError` as `Session.events` has them.
    """
    from actbench.errors import InputError, WrongKernelError
    from actbench.report.progress import Progress
    from actbench.report.publish import publish
    from actbench.runs.record import Status

    status = Status.INTERRUPTED
    try:
        with Progress(quiet=quiet) as progress:
            for event in session.events():
                progress.show(event)
                _write(event, writer)
        status = Status.COMPLETE
    except KeyboardInterrupt:
        more = f"actbench {writer.record.plan.command} --resume {writer.directory} goes on"
        click.echo(f"interrupted: what is finished is kept; {more}", err=True)
    except (WrongKernelError, InputError):
        status = Status.REFUSED
        raise
    finally:
        writer.close(status, session.seams.clock() - session.started)
        summary = publish(writer.directory, writer.record, writer.times)
    return summary, status is Status.INTERRUPTED


def _print_plan(plan: Plan, prediction: Prediction | StockPrediction) -> None:
    """Print the cases of a plan, what is left out, and how long it should take."""
    from actbench.report.numbers import counted
    from actbench.report.prediction import sentence
    from actbench.report.remarks import left_out_lines

    for case in plan.cases:
        click.echo(case.id)
    click.echo("")
    for line in left_out_lines(plan.left_out):
        click.echo(line)
    click.echo(f"inputs from {plan.inputs}")
    cases, blocks = counted(len(plan.cases), "case"), counted(len(plan.blocks), "block")
    click.echo(f"{cases} in {blocks}; {sentence(prediction)}")


def _write(event: Event, writer: Writer) -> None:
    """Write what happened; after a round, the tables too."""
    from actbench.model.events import RoundDone
    from actbench.report.publish import publish

    writer.take(event)
    if isinstance(event, RoundDone):
        publish(writer.directory, writer.record, writer.times)


def fail_for(record: Record) -> None:
    """Leave with the exit code for failed benchmarks and kernels, if any."""
    from actbench.errors import BenchmarkError, listed

    names = [failure.block for failure in record.failures]
    names += [item.case for item in record.plan.left_out if item.failed]
    if names:
        raise BenchmarkError(f"failed: {listed([*dict.fromkeys(names)])} (see above); the rest is complete")
