"""``actbench check``."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.parameters import (
    AXES,
    DEFAULT_TIMEOUT,
    Duration,
    Margin,
    Percent,
    ReportFile,
    given_axes,
    processors,
    selection,
    timeout,
)
from actbench.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actbench.analysis.regression import Margins
    from actbench.measure.live_session import LiveSession
    from actbench.report.verdicts import Report

KEPT = 20_000_000
"""Bytes: more than what the runs of a usual check take."""

LIVE = ("preset", *AXES, "load", "budget", "seed", "affinity", "threads", "timeout", "max_call", "output")
"""Parameters of a live check alone."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="RUN", help="Check RUN against this run.")
@click.option(
    "--against", metavar="PYTHON", help="Measure against this interpreter, virtual environment or git:REV, live."
)
@click.option("--margin", type=Percent(), default="5", show_default=True, metavar="PCT", help="What may get slower.")
@click.option(
    "--margins", type=Margin(), multiple=True, metavar="GLOB=PCT", help="Another margin for the cases that match."
)
@selection("check")
@click.option(
    "--budget",
    type=Duration(),
    help="Time a live check may take; what then seems to have regressed is measured anew on top of that, which may "
    "take as long again. [default: the preset's]",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**63), help="Seed of inputs and order. [default: random]")
@processors
@timeout
@click.option("--max-call", type=Duration(), help="Leave out cases whose single call takes longer. [default: 500ms]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "github", "junit", "json"]),
    default="text",
    show_default=True,
    help="How to print it; markdown goes to $GITHUB_STEP_SUMMARY as well, where that is set.",
)
@click.option(
    "--report",
    "reports",
    type=ReportFile(),
    multiple=True,
    metavar="FORMAT=FILE",
    help="Write a format to a file.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Keep what a live check measured, as runs, in a directory."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def command(ctx: click.Context, /, run: Path | None, **chosen: Any) -> None:
    """Check whether anything got slower: this environment against another, live, or a RUN against a baseline.

    With --against, both environments are measured side by side, in turns on one processor, and the baseline a second
    time as a control. Rounds are added until every case is decided or --budget is spent, and what seems to have
    regressed is measured anew before the check fails. This is the one for continuous integration.

    With --baseline, a RUN of this host is set against an older one of the same host. RUN is a run's directory or
    'latest', the latest complete run.

    A case has regressed only where its whole 95 % interval lies above the margin and the chance of a mistake, corrected
    for the number of cases, is at most 5 %; it is unchanged only where the whole interval lies inside the margin.

    Exit codes: 0 nothing regressed, 1 a case regressed, 3 none did but a case is inconclusive or missing, or the host
    is too noisy, 4 a benchmark failed, 5 there is no baseline, or it cannot be compared.

    \b
    Examples:
      actbench check --against ../main/.venv
      actbench check --against git:main --format markdown
      actbench check --against python3.12 -b numpy -n 1k,100k --margins '*/float32/*=10'
      actbench check --against git:main --report markdown=check.md --report junit=check.xml
      actbench check latest --baseline results/reference
    """
    from actbench.analysis.regression import Margins

    margins = Margins(chosen["margin"], chosen["margins"])
    _refuse_unwritable(chosen["reports"])
    if (chosen["baseline"] is None) == (chosen["against"] is None):
        raise click.UsageError(
            "name what to compare with: --against PYTHON, live, or --baseline RUN for a RUN; not both"
        )
    if chosen["baseline"] is not None:
        _refuse_live_options(ctx)
        if run is None:
            raise click.UsageError("--baseline needs a RUN to check, e.g. actbench check latest --baseline RUN")
        report = _stored(run, chosen["baseline"], margins).with_unused(margins)
        _publish(report, chosen)
    else:
        if run is not None:
            raise click.UsageError(f"--against measures both sides itself: leave {run} out, or use --baseline")
        end_as_by_ctrl_c()
        report = _live(ctx, chosen, margins)
    _leave(ctx, report)


def _refuse_live_options(ctx: click.Context) -> None:
    from click.core import ParameterSource

    for parameter in ctx.command.params:
        if parameter.name in LIVE and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{parameter.opts[-1]} selects what --against measures: leave it out with --baseline"
            )


def _stored(run: Path, baseline: Path, margins: Margins) -> Report:
    from actbench.analysis.check_stored import changes, regrouped
    from actbench.report.verdicts import Report, stored_remarks
    from actbench.runs.baseline import differences, load_both

    before, after = load_both(baseline, run)
    found = changes(before.times, after.times, margins)
    remarks = [*stored_remarks(found, regrouped(before.times, after.times)), *differences(before, after)]
    return Report(tuple(found), margins.default, tuple(remarks))


def _live(ctx: click.Context, chosen: dict[str, Any], margins: Margins) -> Report:
    """Measure, and publish what was found: after Ctrl-C what was found so far."""
    import secrets

    from actbench.host import environment
    from actbench.measure.live import rounds_to_confirm
    from actbench.measure.live_session import Asked, LiveSession
    from actbench.measure.session import Seams
    from actbench.planning import presets, suite
    from actbench.report.numbers import duration
    from actbench.report.progress import Progress
    from actbench.report.verdicts import Report, live_remarks

    seams: Seams = ctx.obj or Seams()
    preset = presets.get(chosen["preset"])
    asked = Asked(
        against=chosen["against"],
        preset=preset,
        given=given_axes(chosen, preset.axes.strategies),
        pattern=chosen["pattern"],
        max_call=chosen["max_call"] or suite.MAX_CALL,
        seed=secrets.randbits(32) if chosen["seed"] is None else chosen["seed"],
        margins=margins,
        budget=chosen["budget"] or preset.budget,
        strict_budget=chosen["budget"] is not None,
        cpu=environment.choose_cpu(chosen["affinity"]),
        threads=environment.choose_threads(chosen["threads"]),
        timeout=chosen["timeout"] or DEFAULT_TIMEOUT,
    )
    interrupted = False
    if chosen["against"].startswith("git:") and not chosen["quiet"]:
        click.echo(f"building the environment of {chosen['against']}: this comes on top of the budget", err=True)
    with _held(chosen["output"]), LiveSession(asked, seams) as session:
        if not chosen["quiet"]:
            anew = (
                f"what seems to have regressed is measured anew on top of that, in up to {rounds_to_confirm(1)} rounds"
            )
            click.echo(f"budget {duration(asked.budget)}; {anew}, or more for more than two cases", err=True)
        try:
            with Progress(quiet=chosen["quiet"]) as progress:
                for event in session.events():
                    progress.show(event)
        except KeyboardInterrupt:
            interrupted = True
            click.echo("interrupted: these are the verdicts so far", err=True)
        outcome = session.outcome()
        report = Report(
            changes=outcome.changes,
            margin=margins.default,
            remarks=(*live_remarks(outcome), *session.remarks),
            noise=outcome.noise,
            failures=outcome.failures,
            seconds=outcome.seconds,
        ).with_unused(margins)
        _publish(report, chosen, lambda output: _keep(session, output, outcome.seconds, interrupted=interrupted))
    if interrupted:
        raise KeyboardInterrupt
    return report


def _publish(report: Report, chosen: dict[str, Any], keep: Callable[[Path], None] | None = None) -> None:
    """Print the verdicts and write what was asked for, each even where another cannot be written.

    What cannot be written is an error, but it must not hide a regression: then it is only told.
    """
    from actbench.analysis.regression import Verdict
    from actbench.errors import ActbenchError
    from actbench.runs import files

    tasks = [partial(_print, report, chosen["form"])]
    tasks += [partial(files.write, path, _text(report, form)) for form, path in chosen["reports"]]
    if keep and chosen["output"] is not None:
        tasks.append(partial(keep, chosen["output"]))
    errors = []
    for task in tasks:
        try:
            task()
        except ActbenchError as error:
            errors.append(error)
    if errors and Verdict.REGRESSED not in report.verdicts:
        raise errors[0]
    for told in filter(None, map(str, errors)):
        click.echo(f"actbench: {told}", err=True)


@contextmanager
def _held(output: Path | None) -> Iterator[None]:
    """Keep a new directory for this check alone; find out before measuring whether runs can be written there."""
    from actbench.errors import InputError
    from actbench.runs import files

    if output is None:
        yield
        return
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"-o {output}: there is something already: name a new directory")
    files.probe(output, KEPT)
    with files.locked(output):
        yield


def _keep(session: LiveSession, output: Path, seconds: float, *, interrupted: bool) -> None:
    """Write both sides and the control as runs."""
    from actbench.report.publish import publish
    from actbench.runs.record import Status
    from actbench.runs.writer import create

    for name, (record, times) in session.runs().items():
        with create(output / name, record) as writer:
            for finished in times.finished():
                writer.times.add(finished)
            writer.close(Status.INTERRUPTED if interrupted else Status.COMPLETE, seconds)
            publish(writer.directory, writer.record, writer.times)
    click.echo(f"written to {output}", err=True)


def _print(report: Report, form: str) -> None:
    from actbench.report import verdicts
    from actbench.report.terminal import show_table

    if form == "text":
        if report.changes:
            show_table(verdicts.table(report))
        click.echo("\n".join(["", verdicts.sentence(report), *verdicts.failure_lines(report), *report.remarks]))
        return
    text = _text(report, form)
    click.echo(text, nl=False)
    if form == "markdown" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        _append(Path(summary), text)


def _text(report: Report, form: str) -> str:
    """Return the report in one of the formats that are files as well; ends with a newline."""
    from actbench.report import verdicts
    from actbench.report.junit import as_junit

    formats = {
        "markdown": verdicts.as_markdown,
        "github": verdicts.as_github,
        "junit": as_junit,
        "json": verdicts.as_json,
    }
    return formats[form](report).rstrip("\n") + "\n"


def _refuse_unwritable(reports: Sequence[tuple[str, Path]]) -> None:
    """Find out before measuring whether the reports have a place to go to."""
    from actbench.errors import InputError

    paths = [path for _, path in reports]
    for form, path in reports:
        if paths.count(path) > 1:
            raise InputError(f"--report {form}={path}: another report goes there, too; name a file for each")
        if not path.parent.is_dir() or path.is_dir() or not os.access(path.parent, os.W_OK):
            raise InputError(f"--report {form}={path}: cannot write there: name a file in a directory that exists")


def _leave(ctx: click.Context, report: Report) -> None:
    from actbench.analysis.regression import Verdict
    from actbench.errors import BenchmarkError

    if Verdict.REGRESSED in report.verdicts:
        ctx.exit(ExitCode.REGRESSED)
    if report.failures:
        names = ", ".join(dict.fromkeys(failure.block for failure in report.failures))
        raise BenchmarkError(f"failed: {names} (see above)")
    if report.noise or report.verdicts & {Verdict.INCONCLUSIVE, Verdict.MISSING}:
        ctx.exit(ExitCode.INCONCLUSIVE)


def _append(summary: Path, text: str) -> None:
    from actbench.errors import unwritable

    try:
        with summary.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        said = f"cannot write to $GITHUB_STEP_SUMMARY ({error.strerror}): unset it, or let it be written"
        raise unwritable(said, error) from None
