"""``actbench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli import compare_hosts
from actbench.cli.formats import TABLES, format_option, output_file, print_comparison, write_or_echo
from actbench.cli.values import Names, PathName

HTML = "html"

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbench.analysis.between_runs import Between
    from actbench.runs.archive import Run


@click.command()
@click.argument("runs", type=PathName(), nargs=-1, required=True, metavar="RUN [RUN]...")
@click.option(
    "--by",
    type=click.Choice(["strategy", "backend", "dtype", "size", "operands", "activation", "host", "kind"]),
    help="What to compare within a run, or to group by between two; host, or kind of host, over any number. [default: "
    "strategy within, case by case between]",
)
@click.option("--operands", multiple=True, type=Names("STATE"), help="Only the cases with these states of operands.")
@click.option(
    "--reference",
    metavar="NAME",
    help="What to compare with, within a run. [default: recompute, or the first one]",
)
@format_option((*TABLES, HTML), "; html, with --by host and --by kind, is a page")
@output_file
def command(  # noqa: PLR0913, PLR0917  # one for each option
    runs: tuple[Path, ...],
    by: str | None,
    operands: tuple[tuple[str, ...], ...],
    reference: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Compare within a RUN; or RUNs with the first of them, the baseline, case by case or by group.

    Within a run: the answer, and geometric means of speedups. Between two: the ratio of times relative to the
    yardstick, above 1 where the second run is faster; between two hosts, where seconds cannot be compared, also the
    ratio of speedups. Of more runs than two, each has a column with its ratios to the first; 'actbench history' orders
    many. All have 95 % intervals over rounds. The intervals do not include differences between whole runs: two runs of
    the same code may be a few percent apart, and 'actbench check' has a margin for that. No mean is over several states
    of operands: --by operands compares these, of each strategy and backend.

    --by host pools the speedups of all runs, each of a host, or of the runs in a directory: with a prediction interval
    for a further host, which hosts differ, and whether the faster strategy changes. --by kind pools hosts that describe
    themselves alike first: then what differs between them, or between runs of one, is not taken for one of kinds.

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
      actbench compare results/1.0 results/1.1 results/1.2
      actbench compare results/reference latest --by strategy
      actbench compare --by host results/fleet
      actbench compare --by host results/fleet --format html -o hosts.html
    """
    from actbench.errors import InputError
    from actbench.report.narrowing import in_states
    from actbench.runs.archive import load_timed

    if len(runs) > 1 and reference is not None:
        raise InputError("--reference is for one run: of several, the first is the reference; leave it out")
    states = sum(operands, ())
    if by in {compare_hosts.BY_HOST, compare_hosts.BY_KIND}:
        if reference is not None:
            raise InputError(f"--reference: --by {by} compares with recompute, or the first strategy; leave it out")
        compare_hosts.show(runs, by, states, form, output)
        return
    if form == HTML:
        raise InputError(
            "--format html is the page of --by host and --by kind; 'actbench report RUN [RUN]' writes that of one run, "
            "or of two"
        )
    loaded = [in_states(load_timed(path), states) for path in runs]
    match loaded:
        case [run]:
            _within(run, by or "strategy", reference, form, output)
        case [before, after]:
            _between(before, after, by, form, output)
        case _:
            _among(loaded, by, form, output)


def _within(run: Run, by: str, reference: str | None, form: str, output: Path | None) -> None:
    from actbench.analysis.within_run import Axis, compare
    from actbench.report import compared_axis, tensors
    from actbench.report.remarks import inputs_lines
    from actbench.report.summary import answers_of
    from actbench.report.table import markdown
    from actbench.report.terminal import show_answers, show_table
    from actbench.runs.merging import measured_together

    compared = compare(run.times, Axis(by), reference, measured_together(run.record), str(run.path))
    comparison = compared.comparisons
    of_tensors = tensors.of_run(run) if by == Axis.STRATEGY else []
    answers = answers_of(run) if by == Axis.STRATEGY and reference is None else ()
    match form:
        case "table" if output is None:
            show_answers(answers)
            for table in (compared_axis.table(comparison, by), *of_tensors):
                show_table(table)
        case "table" | "markdown":
            texts = [compared_axis.as_markdown(comparison, by), *map(markdown, of_tensors)]
            write_or_echo("\n".join([*(f"{answer}\n" for answer in answers), *texts]) + "\n", output)
        case "csv":
            write_or_echo(compared_axis.as_csv(comparison), output)
        case "json":
            write_or_echo(compared_axis.as_json(comparison) + "\n", output)
    for line in [*compared_axis.remarks(compared), *inputs_lines(run.plan)]:
        click.echo(line, err=form in {"csv", "json"} or output is not None)


def _compared(before: Run, after: Run, by: str | None) -> tuple[Between, list[str]]:
    """Return the comparison of two runs, with remarks; `NotComparableError` where they cannot be compared."""
    from actbench.analysis.between_runs import between
    from actbench.analysis.within_run import Axis
    from actbench.report.compared_runs import remarks
    from actbench.report.remarks import inputs_lines
    from actbench.runs.baseline import differences, host_differences, refuse_unlike

    refuse_unlike(before, after)
    hosts = host_differences(before, after)
    comparison = between(before.times, after.times, Axis(by) if by else None, one_host=not hosts)
    return comparison, [*remarks(comparison, hosts, differences(before, after)), *inputs_lines(after.plan)]


def _between(before: Run, after: Run, by: str | None, form: str, output: Path | None) -> None:
    from actbench.report import compared_runs

    comparison, remarks = _compared(before, after, by)
    print_comparison(form, compared_runs, comparison, remarks, remarks, output)


def _among(runs: Sequence[Run], by: str | None, form: str, output: Path | None) -> None:
    from actbench.report import compared_many as report
    from actbench.report.terminal import show_table
    from actbench.runs.archive import labels

    first, *others = runs
    reference, *names = labels(runs)
    compared = [report.ComparedRun(name, *_compared(first, run, by)) for name, run in zip(names, others, strict=True)]
    match form:
        case "table" if output is None:
            for table in report.tables(reference, compared):
                show_table(table)
            click.echo("\n".join(["", *report.lines(compared)]))
        case "table" | "markdown":
            write_or_echo(report.as_markdown(reference, compared), output)
        case "csv":
            write_or_echo(report.as_csv(compared), output)
            click.echo("\n".join(report.lines(compared)), err=True)
        case "json":
            write_or_echo(report.as_json(reference, compared) + "\n", output)
