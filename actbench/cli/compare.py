"""``actbench compare``."""

from __future__ import annotations

from pathlib import Path

import click

from actbench.cli.formats import TABLES, format_option


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path), required=False, metavar="[RUN]")
@click.option(
    "--by",
    type=click.Choice(["strategy", "backend", "dtype", "size", "activation"]),
    help="What to compare within a run, or to group by between two. [default: strategy within, case by case between]",
)
@click.option(
    "--reference",
    metavar="NAME",
    help="What to compare with, within a run. [default: recompute, or the first one]",
)
@format_option(TABLES)
def command(run: Path, candidate: Path | None, by: str | None, reference: str | None, form: str) -> None:
    """Compare within a RUN; or two RUNs, a baseline and a candidate, case by case or by group.

    Within a run: geometric means of speedups. Between two: the ratio of times relative to the yardstick, above 1 where
    the second run is faster; between two hosts, where seconds cannot be compared, also the ratio of speedups. All have
    95 % intervals over rounds. The intervals do not include differences between whole runs: two runs of the same code
    may be a few percent apart, and 'actbench check' has a margin for that.

    RUN is a run's directory, its pyperf.json, or 'latest', the latest complete run. Exit code 5: the two runs cannot be
    compared.

    \b
    Examples:
      actbench compare latest
      actbench compare latest --by backend --reference numpy
      actbench compare results/reference --by size --format csv
      actbench compare results/before results/after
      actbench compare results/reference latest --by strategy
    """
    if candidate is None:
        _within(run, by or "strategy", reference, form)
    else:
        _between(run, candidate, by, reference, form)


def _within(path: Path, by: str, reference: str | None, form: str) -> None:
    from actbench.analysis.within_run import Axis, compare
    from actbench.report import compared_axis
    from actbench.report.summary import inputs_lines
    from actbench.report.terminal import show_table
    from actbench.runs.archive import load_timed

    run = load_timed(path)
    comparison = compare(run.times, Axis(by), reference)
    match form:
        case "table":
            show_table(compared_axis.table(comparison, by))
        case "markdown":
            click.echo(compared_axis.as_markdown(comparison, by))
        case "csv":
            click.echo(compared_axis.as_csv(comparison), nl=False)
        case "json":
            click.echo(compared_axis.as_json(comparison))
    for line in inputs_lines(run.plan):
        click.echo(line, err=form in {"csv", "json"})


def _between(baseline: Path, candidate: Path, by: str | None, reference: str | None, form: str) -> None:
    from actbench.analysis.between_runs import between
    from actbench.analysis.within_run import Axis
    from actbench.errors import InputError
    from actbench.report import compared_runs as report
    from actbench.report.summary import inputs_lines
    from actbench.report.terminal import show_table
    from actbench.runs.archive import load_timed
    from actbench.runs.baseline import differences, host_differences, refuse_unlike

    if reference is not None:
        raise InputError("--reference is for one run: of two, the first is the reference; leave it out")
    before, after = load_timed(baseline), load_timed(candidate)
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
