"""``actbench history``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.formats import format_option, output_file, write_or_echo
from actbench.cli.options import AXES, on_command_line, selection_of_cases
from actbench.cli.values import PathName
from actbench.errors import ExitCode, InputError, NotComparableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbench.analysis.history import History, Measurement
    from actbench.analysis.levels import FindPlaces
    from actbench.planning.selection import Selection


@click.command()
@click.argument("runs", type=PathName(), nargs=-1, required=True, metavar="RUN...|DIR")
@selection_of_cases
@click.option(
    "--of",
    "figure",
    type=click.Choice(["time", "speedup"]),
    default="time",
    show_default=True,
    help="What to follow: times relative to a plain copy, of checks to their baseline; or speedups over recompute.",
)
@click.option(
    "--by",
    "axis",
    default="date",
    show_default=True,
    metavar="date|commit|LIBRARY",
    help="The order of runs: when they were begun, the commit that they were made at, or a version, e.g. numpy.",
)
@format_option(("text", "markdown", "csv", "json", "html"), "; csv and json have every point, html is a page")
@output_file
@click.option("--fail-on-step", is_flag=True, help="End with 1 where something got slower, or a speedup smaller.")
@click.pass_context
def command(  # noqa: PLR0913  # one for each option
    ctx: click.Context,
    /,
    *,
    runs: tuple[Path, ...],
    selection: Selection,
    figure: str,
    axis: str,
    form: str,
    output: Path | None,
    fail_on_step: bool,
) -> None:
    """Follow cases over many runs, and show where they got faster or slower.

    RUN is a run's directory, 'latest', or the directory of a check (actbench check -o); DIR has some of these. Times
    are relative to the plain copy in each block, so that the host's drift from run to run is not in them; in checks
    they are relative to the baseline's, which stays the same from check to check. Each point has its 95 % interval.
    Runs of other hosts, and what was measured in another way, are series of their own.

    Steps are found by asv (python -m pip install 'actbench-derivatives[history]'). A step is shown only where its two
    levels, of three runs at least, differ significantly: the probability of one or more false steps is at most 5 %. A
    step of the time relative to the copy is named as one of the copy where the time itself contradicts it.

    Exit codes: 0 fine; with --fail-on-step 1 where something got slower, and 3 where that is open, since the time
    itself drifts too much to tell whether the case changed or the copy; 5 no two runs have a case in common.

    \b
    Examples:
      actbench history results
      actbench history results -a logistic -b numpy --by numpy
      actbench history results --of speedup --by commit --format csv -o history.csv
      actbench history results --format html -o history.html
      actbench history results/nightly-* --fail-on-step
    """
    from actbench.report import history as report
    from actbench.report.terminal import show_table

    find_places, hints = _finder(required=fail_on_step)
    history, left_out = _history(ctx, runs, selection, figure, axis, find_places)
    remarks = [*hints, *report.remarks(history, left_out)]
    match form:
        case "text" if output is None:
            for table in report.tables(history):
                show_table(table)
            click.echo("\n".join(["", report.sentence(history), *remarks]))
        case "text" | "markdown":
            write_or_echo(report.as_markdown(history, remarks), output)
        case "csv":
            write_or_echo(report.as_csv(history), output)
        case "json":
            write_or_echo(report.as_json(history, remarks) + "\n", output)
        case "html":
            write_or_echo(_page(history, remarks), output)
    if form == "csv" or output is not None:
        click.echo("\n".join([report.sentence(history), *remarks]), err=True)
    if fail_on_step:
        ctx.exit(_end(history))


def _end(history: History) -> ExitCode:
    """Return what --fail-on-step ends with."""
    steps = [step for _, step in history.steps]
    if any(step.is_regression for step in steps):
        return ExitCode.REGRESSED
    return ExitCode.INCONCLUSIVE if any(step.for_the_worse and step.is_open for step in steps) else ExitCode.FINE


def _finder(*, required: bool) -> tuple[FindPlaces | None, list[str]]:
    """Return what finds steps, or None with a sentence about how to install it; `InputError` where it is required."""
    from actbench.analysis.step_detection import finder

    try:
        return finder(), []
    except InputError as error:
        if required:
            raise InputError(f"--fail-on-step: {error}") from None
        return None, [str(error)]


def _history(  # noqa: PLR0913, PLR0917  # one for each option
    ctx: click.Context,
    paths: Sequence[Path],
    selection: Selection,
    figure: str,
    axis: str,
    find_places: FindPlaces | None,
) -> tuple[History, list[str]]:
    """Return the history, and what was left out of it."""
    from actbench.analysis.history import Figure, history
    from actbench.analysis.history_runs import measurements, positions
    from actbench.report.narrowing import RUNS, narrowed
    from actbench.runs.collection import collect

    collection = collect(paths)
    placed, without = positions(collection.runs, axis)
    left_out = [*collection.left_out, *without]
    measured = []
    for collected, position in placed:
        try:
            members = measurements(collected, Figure(figure))
        except InputError as error:
            if collected.named:
                raise
            left_out.append(str(error))
        else:
            measured += [(collected, position, members)] if members else []
            left_out += [] if members else [f"{collected.run.path} has no {figure} to follow"]
    if len(measured) < 2:
        only = "; ".join(["there is one run" if measured else "there is none", *left_out])
        raise InputError(f"a history takes two runs or more: {only}; name more runs, or a directory of them")
    options = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    named = {name: options[name] for name in AXES if name in on_command_line(ctx)}
    cases = dict.fromkeys(one.case for _, _, members in measured for one in members)
    _refuse_references(selection, [one for _, _, members in measured for one in members])
    keep = {*filter(narrowed(selection, [*cases], named, RUNS), cases)}
    of_runs = history(
        Figure(figure),
        axis,
        [(one, position, [item for item in members if item.case in keep]) for one, position, members in measured],
        find_places,
    )
    if not of_runs.series:
        what = "speedup over another strategy" if figure == Figure.SPEEDUP else "case that is selected"
        raise InputError(f"no run has a {what}: name another with -a, -b, -s, --filter or --of")
    if all(len(series.runs) == 1 for series in of_runs.series):
        raise NotComparableError(
            "no two runs have a case in common on one host, measured in the same way: measure the same selection again"
        )
    return of_runs, left_out


def _refuse_references(selection: Selection, measured: Sequence[Measurement]) -> None:
    """Raise `InputError` where only strategies are named over which others have their speedups."""
    compared = {str(one.case.strategy): None for one in measured}
    references = {str(one.reference.strategy) for one in measured if one.reference}
    named = [str(strategy) for strategy in selection.strategies]
    if named and not compared.keys() & {*named} and references.issuperset(named):
        raise InputError(
            f"-s {','.join(named)}: it is the reference, over which speedups are: name a strategy that has one "
            f"({', '.join(compared)}), or write --of time"
        )


def _page(history: History, remarks: Sequence[str]) -> str:
    from actbench.report.charts.library import library
    from actbench.report.page.history import page

    with library() as javascript:
        return page(history, remarks, javascript)
