"""``actbench check``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from actbench.cli.parameters import Percent

REGRESSED, OPEN = 1, 3
"""Exit codes: something got slower; something could not be decided."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    required=True,
    metavar="RUN",
    help="The run to compare with, of the same host.",
)
@click.option("--margin", type=Percent(), default="5", show_default=True, metavar="PCT", help="What may get slower.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "github", "json"]),
    default="text",
    show_default=True,
    help="How to print it; markdown goes to $GITHUB_STEP_SUMMARY as well, where that is set.",
)
@click.pass_context
def command(ctx: click.Context, run: Path, baseline: Path, margin: float, form: str) -> None:
    """Check a RUN against a baseline for cases that got slower.

    A case has regressed only where its whole 95 % interval lies above the margin and the chance of a mistake, corrected
    for the number of cases, is at most 5 %; it is unchanged only where the whole interval lies inside the margin.
    RUN is a run's directory or 'latest'.

    Exit codes: 0 nothing regressed, 1 a case regressed, 3 none did but a case is inconclusive or missing, 5 there is no
    baseline, or it is of another host.

    \b
    Examples:
      actbench check latest --baseline results/reference
      actbench check results/new --baseline results/old --margin 2
      actbench check latest --baseline results/main --format markdown
    """
    from actbench.analysis.regression import Verdict, changes, regrouped
    from actbench.report import verdicts
    from actbench.report.terminal import show_table
    from actbench.runs.baseline import differences, load_both

    before, after = load_both(baseline, run)
    found = changes(before.times, after.times, margin)
    remarks = [*verdicts.regrouped_line(regrouped(before.times, after.times)), *differences(before, after)]
    match form:
        case "text":
            show_table(verdicts.table(found))
            click.echo("\n".join(["", verdicts.sentence(found, margin), *remarks]))
        case "markdown":
            text = verdicts.as_markdown(found, margin, remarks)
            click.echo(text, nl=False)
            if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
                _append(Path(summary), text)
        case "github":
            click.echo(verdicts.as_github(found, margin))
        case "json":
            click.echo(verdicts.as_json(found, margin, remarks))
    given = {change.verdict for change in found}
    if Verdict.REGRESSED in given:
        ctx.exit(REGRESSED)
    if given & {Verdict.INCONCLUSIVE, Verdict.MISSING}:
        ctx.exit(OPEN)


def _append(summary: Path, text: str) -> None:
    from actbench.errors import InputError

    try:
        with summary.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            f"cannot write to $GITHUB_STEP_SUMMARY ({error.strerror}): unset it, or let it be written"
        ) from None
