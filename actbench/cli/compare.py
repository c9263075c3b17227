"""``actbench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.formats import TABLES, format_option
from actbench.cli.values import Names

if TYPE_CHECKING:
    from actbench.runs.archive import Run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path), required=False, metavar="[RUN]")
@click.option(
    "--by",
    type=click.Choice(["strategy", "backend", "dtype", "size", "operands", "activation"]),
    help="What to compare within a run, or to group by between two. [default: strategy within, case by case between]",
)
@click.option("--operands", multiple=True, type=Names("STATE"), help="Only the cases with these states of operands.")
@click.option(
    "--reference",
    metavar="NAME",
    help="What to compare with, within a run. [default: recompute, or the first one]",
)
@format_option(TABLES)
def command(  # noqa: PLR0913, PLR0917  # one for each option
    run: Path,
    candidate: Path | None,
    by: str | None,
    operands: tuple[tuple[str, ...], ...],
    reference: str | None,
    form: str,
) -> None:
    """Compare within a RUN; or two RUNs, a baseline and a candidate, case by case or by group.

    Within a run: geometric means of speedups. Between two: the ratio of times relative to the yardstick, above 1 where
    the second run is faster; between two hosts, where seconds cannot be compared, also the ratio of speedups. All have
    95 % intervals over rounds. The intervals do not include differences between whole runs: two runs of the same code
    may be a few percent apart, and 'actbench check' has a margin for that. No mean is over several states of operands:
    --by operands compares these, of each strategy and backend.

    RUN is a run's directory, its pyperf.json, or 'latest', the latest complete run. Exit code 5: the two runs cannot be
    compared.

    \b
    Examples:
      actbench compare latest
      actbench compare latest --by backend --reference numpy
      actbench compare results/reference --by size --format csv
      actbench compare latest --by operands
      actbench compare latest --operands cold
      actbench compare results/before results/after
      actbench compare results/reference latest --by strategy
    """
    from actbench.errors import InputError
    from actbench.report.narrowing import in_states
    from actbench.runs.archive import load_timed

    if candidate is not None and reference is not None:
        raise InputError("--reference is for one run: of two, the first is the reference; leave it out")
    states = sum(operands, ())
    if candidate is None:
        _within(in_states(load_timed(run), states), by or "strategy", reference, form)
    else:
        before, after = (in_states(load_timed(path), states) for path in (run, candidate))
        _between(before, after, by, form)


def _within(run: Run, by: str, reference: str | None, form: str) -> None:
    from actbench.analysis.within_run import Axis, compare
    from actbench.model.sizes import Shape
    from actbench.report import compared_axis, tensors
    from actbench.report.remarks import inputs_lines
    from actbench.report.table import markdown
    from actbench.report.terminal import show_table

    if by == Axis.SIZE and reference and "x" in reference:
        reference = str(Shape(reference).elements)
    comparison = compare(run.times, Axis(by), reference)
    of_tensors = tensors.of_run(run) if by == Axis.STRATEGY else []
    match form:
        case "table":
            for table in (compared_axis.table(comparison, by), *of_tensors):
                show_table(table)
        case "markdown":
            click.echo("\n".join([compared_axis.as_markdown(comparison, by), *map(markdown, of_tensors)]))
        case "csv":
            click.echo(compared_axis.as_csv(comparison), nl=False)
        case "json":
            click.echo(compared_axis.as_json(comparison))
    for line in inputs_lines(run.plan):
        click.echo(line, err=form in {"csv", "json"})


def _between(before: Run, after: Run, by: str | None, form: str) -> None:
    from actbench.analysis.between_runs import between
    from actbench.analysis.within_run import Axis
    from actbench.report import compared_runs as report
    from actbench.report.remarks import inputs_lines
    from actbench.report.terminal import show_table
    from actbench.runs.baseline import differences, host_differences, refuse_unlike

    refuse_unlike(before, after)
    hosts = host_differences(before, after)
    comparison = between(before.times, after.times, Axis(by) if by else None, one_host=not hosts)
    remarks = [*report.remarks(comparison, hosts, differences(before, after)), *inputs_lines(after.plan)]
    match form:
        case "table":
            for table in report.tables(comparison):
                show_table(table)
            click.echo("\n".join(["", report.sentence(comparison), *remarks]))
        case "markdown":
            click.echo(report.as_markdown(comparison, remarks), nl=False)
        case "csv":
            click.echo(report.as_csv(comparison), nl=False)
            for remark in remarks:
                click.echo(remark, err=True)
        case "json":
            click.echo(report.as_json(comparison, remarks))
