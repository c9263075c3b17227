"""``actbench compare``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--by",
    type=click.Choice(["strategy", "backend", "dtype", "size"]),
    default="strategy",
    show_default=True,
    help="What to compare.",
)
@click.option("--reference", metavar="NAME", help="What to compare with. [default: recompute, or the first there is]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
def command(run: Path, by: str, reference: str | None, form: str) -> None:
    """Compare within a RUN: geometric means of speedups, with their 95 % intervals.

    RUN is a run's directory, its pyperf.json, or 'latest'.

    \b
    Examples:
      actbench compare latest
      actbench compare latest --by backend --reference numpy
      actbench compare results/reference --by size --format csv
    """
    from actbench.analysis.comparison import Axis, compare
    from actbench.report import comparison
    from actbench.report.terminal import show_table
    from actbench.runs.archive import load

    found = compare(load(run).times, Axis(by), reference)
    match form:
        case "table":
            show_table(comparison.table(found, by))
        case "markdown":
            click.echo(comparison.as_markdown(found, by))
        case "csv":
            click.echo(comparison.as_csv(found), nl=False)
        case "json":
            click.echo(comparison.as_json(found))
