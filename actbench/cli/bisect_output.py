"""A bisect on the command line: measure, with progress on stderr, and print the answer."""

from __future__ import annotations

from functools import partial

import click

from actbench.analysis.bisection import Bisection
from actbench.engine.bisect.bisecting import Bisecting
from actbench.engine.live.environment_cache import silent
from actbench.engine.requests import BisectRequest
from actbench.engine.session import Seams
from actbench.report import bisection
from actbench.report.progress import Progress
from actbench.report.terminal import show_table
from actbench.report.verdict_files import append_to_step_summary


def measured(request: BisectRequest, seams: Seams, form: str, *, quiet: bool) -> Bisection:
    """Measure, print the answer and return it; after Ctrl-C, what is known by then."""
    interrupted = False
    with Bisecting(request, seams, silent if quiet else partial(click.echo, err=True)) as bisecting:
        if not quiet:
            click.echo(bisection.forecast(bisecting.expected(), request.budget), err=True)
        try:
            with Progress(quiet=quiet) as progress:
                for event in bisecting.events():
                    progress.show(event)
        except KeyboardInterrupt:
            interrupted = True
            click.echo("interrupted: what was measured is kept", err=True)
        result = bisecting.bisection(interrupted=interrupted)
    _print(result, form)
    return result


def _print(result: Bisection, form: str) -> None:
    match form:
        case "json":
            click.echo(bisection.as_json(result))
        case "markdown":
            text = bisection.as_markdown(result)
            click.echo(text, nl=False)
            append_to_step_summary(text)
        case _:
            click.echo("\n".join([bisection.headline(result), *bisection.answer_lines(result)]))
            if (table := bisection.table(result)).rows:
                show_table(table)
            click.echo("\n".join(["", *bisection.remark_lines(result)]))
