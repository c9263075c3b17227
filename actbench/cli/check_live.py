"""A live check on the command line: measure, with progress on stderr, and report."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from actbench.cli.check_output import CheckOutput
from actbench.cli.sentences import say
from actbench.engine.live.environment_cache import silent
from actbench.engine.live.keeping import keep, kept_for
from actbench.engine.live.live_session import LiveSession
from actbench.engine.requests import CheckRequest
from actbench.engine.session import Seams
from actbench.report.check_report import Report
from actbench.report.needs import on_top
from actbench.report.numbers import duration
from actbench.report.progress import Progress
from actbench.report.publish import publish
from actbench.report.remarks import inputs_lines, left_out_in_short, operands_lines
from actbench.report.verdict_remarks import live_remarks


def measured(request: CheckRequest, seams: Seams, output: Path | None, out: CheckOutput, *, quiet: bool) -> Report:
    """Measure, publish the verdicts and return them; after Ctrl-C, the verdicts so far."""
    interrupted = False
    session = LiveSession(request, seams, silent if quiet else partial(click.echo, err=True))
    with out.publishing_failure(session.sides, lambda: session.remarks), kept_for(output), session:
        if not quiet:
            click.echo(f"budget {duration(session.budget)}; {on_top(session.budget)}", err=True)
        try:
            with Progress(quiet=quiet) as progress:
                for event in session.events():
                    progress.show(event)
        except KeyboardInterrupt:
            interrupted = True
            click.echo("interrupted: these are the verdicts so far", err=True)
        report = _report(session, request, interrupted=interrupted)
        out.publish(report, partial(_keep, session, output, report) if output else None)
    return report


def _report(session: LiveSession, request: CheckRequest, *, interrupted: bool) -> Report:
    outcome, plan = session.outcome(), session.plan
    return Report(
        changes=outcome.changes,
        margin=request.margins.default,
        sides=session.sides(),
        remarks=(
            *live_remarks(outcome),
            *inputs_lines(plan),
            *operands_lines(plan),
            *left_out_in_short(plan.left_out),
            *session.remarks,
        ),
        noise=outcome.noise,
        failures=outcome.failures,
        seconds=outcome.seconds,
        need=outcome.need,
        interrupted=interrupted,
    ).with_unused(request.margins)


def _keep(session: LiveSession, output: Path, report: Report) -> None:
    """Write both sides and the control as runs."""
    for writer in keep(session.runs(), output, report.seconds, interrupted=report.interrupted):
        publish(writer.directory, writer.record, writer.times)
    say(f"written to {output}")
