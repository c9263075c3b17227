"""What ``actbench run`` and ``actbench train`` have in common: measure, write, and end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.options import Command
from actbench.cli.sentences import say
from actbench.cli.values import Duration, PathName, Percent, WholeNumber
from actbench.model import shell
from actbench.runs.bounds import MOST_ROUNDS

if TYPE_CHECKING:
    from actbench.api.running import P, Planned, R, RunKind
    from actbench.engine.session import Seams, Session
    from actbench.report.table import Summary
    from actbench.runs.writer import Writer


def limits(target: str, budget: str) -> Callable[[Command], Command]:
    """Return a decorator that adds the options which end a run, with the texts of their defaults."""

    def add(command: Command) -> Command:
        by_rounds = click.option(
            "--rounds",
            type=WholeNumber(min=1, max=MOST_ROUNDS),
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
    new = click.option("-o", "--output", type=PathName(), help="Directory of the run. [default: under results/]")
    old = click.option(
        "--resume",
        type=PathName(),
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


all_tables = click.option(
    "--all-tables",
    is_flag=True,
    help="Print every table of summary.md; on a terminal, those that do not fit two screens are left out otherwise.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """The options of a command that say what to do with a request, and where what comes of it is written."""

    output: Path | None
    resume: Path | None
    dry_run: bool
    quiet: bool

    def tell(self, text: str) -> None:
        """Print a line about what happens, or about what of the request does not help."""
        if not self.quiet:
            click.echo(text, err=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMode(Mode):
    """Those of a command that measures here."""

    strict: bool
    """Whether nothing is measured where a kernel does not pass its check."""
    all_tables: bool


def mode_taken(kind: type[Mode]) -> Callable[[Command], Command]:
    """Return a decorator that lets a command take the options of a kind of mode as its parameter `mode`."""

    def decorated(command: Command) -> Command:
        @wraps(command)
        def taking(*arguments: Any, **values: Any) -> Any:
            mode = kind(**{option.name: values.pop(option.name) for option in fields(kind)})
            return command(*arguments, mode=mode, **values)

        return taking

    return decorated


def carry_out(ctx: click.Context, request: R, kind: RunKind[R, P], mode: RunMode) -> None:
    """Measure a new run, go on with one, or print what would be measured."""
    from actbench import plugins
    from actbench.engine.session import Seams

    seams: Seams = ctx.obj or Seams()
    started = seams.clock()
    if mode.dry_run:
        refuse_resume(mode)
        print_plan(kind.prepare(request))
        return
    end_as_by_ctrl_c()
    if mode.resume is not None and mode.output is not None:
        raise click.UsageError("--resume goes on in its own directory: leave -o out")
    if mode.resume is not None:
        ctx.call_on_close(plugins.unload)  # of what is loaded for it

    opened = kind.opened(request, seams, output=mode.output, resume=mode.resume, caution=mode.tell)
    _measure(opened, started, seams, mode)


def _measure(opened: AbstractContextManager[Writer], started: float, seams: Seams, mode: RunMode) -> None:
    """Do the remaining work of a run, and print its summary.

    `KeyboardInterrupt` where Ctrl-C ended it, `BenchmarkError` where a block failed or a kernel did.
    """
    from actbench.api.running import fail_for
    from actbench.engine.preparing import guaranteed_rounds
    from actbench.engine.session import Session
    from actbench.report import terminal

    with opened as writer:
        rounds = guaranteed_rounds(writer.record.settings)
        session = Session(writer.record, writer.times, started, rounds, seams, mode.strict)
        summary, interrupted = measured(session, writer, quiet=mode.quiet)
    try:
        terminal.show(summary, whole=mode.all_tables)
    finally:
        click.echo("", err=True)
        say(f"written to {writer.directory}")
    if sys.stdout.isatty() and not mode.all_tables:
        _show_more(writer.directory)
    if interrupted:
        raise KeyboardInterrupt
    fail_for(writer.record)


def _show_more(directory: Path) -> None:
    """Say how to see more of a run."""
    from actbench.runs.latest import LATEST, RESULTS
    from actbench.runs.names import SUMMARY

    is_latest = (RESULTS / LATEST).resolve() == directory.resolve()
    run = LATEST if is_latest else directory
    say(f"more: {', '.join(shell.command('actbench', name, run) for name in ('compare', 'report'))}")
    say(f"every table: --all-tables, or {directory / SUMMARY}")


def measured(session: Session, writer: Writer, *, quiet: bool, more: str = "") -> tuple[Summary, bool]:
    """Do the work of a session as `actbench.api.running.worked` does, and say how to go on where Ctrl-C ended it.

    `more` says it where that is not ``--resume`` of the run.
    """
    from actbench.api.running import worked

    summary, interrupted = worked(session, writer, quiet=quiet)
    if writer.unlinked:
        say(writer.unlinked)
    if interrupted:
        resuming = shell.command("actbench", writer.record.plan.command, "--resume", writer.directory)
        say(f"interrupted: what is finished is kept; {more or f'{resuming} goes on'}")
    return summary, interrupted


def refuse_resume(mode: RunMode) -> None:
    """Raise a usage error where a dry run is to go on with a run."""
    if mode.resume is not None:
        raise click.UsageError("--dry-run shows a new run: leave --resume out")


def print_plan(prepared: Planned, form: str = "text") -> None:
    """Print the cases of a plan, what is left out, and how long it should take; as ``json``, its file."""
    from actbench.report.numbers import counted
    from actbench.report.prediction import sentence
    from actbench.report.remarks import left_out_lines
    from actbench.runs import plan_file

    if form == "json":
        click.echo(plan_file.encode(prepared.file()), nl=False)
        return
    plan = prepared.plan
    for case in plan.cases:
        click.echo(case.id)
    click.echo("")
    for line in left_out_lines(plan.left_out):
        click.echo(line)
    click.echo(f"inputs from {plan.inputs}")
    cases, blocks = counted(len(plan.cases), "case"), counted(len(plan.blocks), "block")
    click.echo(f"{cases} in {blocks}; {sentence(prepared.prediction())}")
