"""``actbench accuracy``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.formats import TABLES, format_option, refuse_what_is_read
from actbench.cli.options import on_command_line, quiet, selection_of_kernels
from actbench.cli.values import Names, PathName, WholeNumber
from actbench.model.names import Quantity
from actbench.runs.bounds import LARGEST_SEED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbench.analysis.accuracy import Surveyed

FORM_OF = {"": "markdown", ".md": "markdown", ".csv": "csv", ".json": "json"}
"""The format by the suffix of a file's name, where --format is not given."""


def _compared(ctx: click.Context, param: click.Parameter, names: tuple[tuple[str, ...], ...]) -> tuple[Quantity, ...]:
    """Return what is compared with the truth: g' where nothing is named."""
    del ctx, param
    return tuple(map(Quantity, dict.fromkeys(sum(names, ())))) or (Quantity.DERIVATIVE,)


@click.command()
@selection_of_kernels
@click.option(
    "--of",
    "quantities",
    multiple=True,
    type=Names("QUANTITY", click.Choice([*map(str, Quantity)])),
    callback=_compared,
    help="What is compared with the truth: derivative (g'), forward (y), second (g''). [default: derivative]",
)
@click.option(
    "--residuals",
    type=click.Choice(["computed", "exact"]),
    default="computed",
    show_default=True,
    help="What strategies keep: the residuals of numpy's forward pass, or correctly rounded ones.",
)
@click.option(
    "--points",
    type=WholeNumber(min=10, max=100_000),
    default=150,
    show_default=True,
    help="Points per band of z and tail.",
)
@click.option("--exhaustive", is_flag=True, help="Every finite number: minutes per kernel of float32.")
@click.option(
    "--seed", type=WholeNumber(min=0, max=LARGEST_SEED), default=0, show_default=True, help="Seed of the points."
)
@format_option(TABLES)
@click.option("-o", "--output", type=PathName(), help="File to write to, in place of stdout.")
@quiet
@click.pass_context
def command(
    ctx: click.Context, /, *, residuals: str, form: str, output: Path | None, quiet: bool, **options: Any
) -> None:
    """Show how far kernels are from the true derivative, and in which zones of z it is lost.

    By default every activation and strategy, for python, numpy and numba, in float32 and float64; what a framework's
    own activation and autograd give with -s shipped -b torch,jax. Errors are in units in the last place (ULP) of the
    kernel's dtype, against mpmath: by band of z, for both tails, and for z drawn from N(0, 1). Where one needs them,
    near roots and in 16 bits, there are the largest relative error (of g', or of the smallest normal number where g' is
    smaller) and the largest absolute one. The largest error is that of the evaluated points. At an end of a zone, a
    wrong result and a right one are of neighbouring numbers of the format; where wrong and right ones alternate, there
    are more such places, and some wrong results may lie beyond the end. A zone between two evaluated points may be
    missed. A second table has the results at NaN and ±inf, and at kinks, between the slopes on either side. With --of
    forward, y is compared, and with --of second, g''.

    \b
    The csv and json formats have a row per kernel and part of the real line, N(0, 1), the tails, then their bands:
      of             derivative, forward or second: what is compared with the truth
      low, high      the band of |z|
      points         number of evaluated z; median_ulp, p99_ulp and max_ulp are over these
      worst_z        the z of max_ulp; relative_z and absolute_z are those of max_relative and max_absolute
      wrong          share of the z where the result is off by more than 1 %
      at_infinity    result at that end of the real line; limit is what the truth tends to, at_nan the result at NaN
      kinks          results at kinks, with the slopes before and after, and what actbench declares
      part           of row activations spread: a band of rows' spreads, in ULP of the row's largest; spread-each: in
                     ULP of each element; worst_z and the like are spreads
      zones          every zone of |z| where the result is wrong, zero or nan; wrong_from, wrong_to and the like are the
                     first of each kind
    Infinite errors are inf.

    What cannot be compiled or run here is left out. Exit code 4: some kernel failed, such as one that
    crashed the worker twice; the others are reported.

    \b
    Examples:
      actbench accuracy -a logistic,tanh
      actbench accuracy -b numpy,numba-simd -d float64 --format csv -o accuracy.csv
      actbench accuracy -a logistic -s cached --residuals exact
      actbench accuracy -a tanh -s recompute -b numba-simd -d float32 --exhaustive
      actbench accuracy -a silu,gelu -s shipped,recompute -b torch,jax,numpy --of derivative,forward
    """
    from actbench.api.surveying import refuse_failed, surveyed
    from actbench.engine.requests import AccuracyRequest
    from actbench.engine.session import Seams
    from actbench.engine.survey.accuracy import Unexamined
    from actbench.engine.survey.surveys import planned
    from actbench.model.plan import LeftOut
    from actbench.report.remarks import left_out_lines

    request = AccuracyRequest(**options, exact=residuals == "exact")
    form = _form(form, output, named="form" in on_command_line(ctx))
    plan = planned(request)
    results = surveyed(plan.kernels, request, ctx.obj or Seams(), quiet=quiet)
    accuracies = [result for result in results if not isinstance(result, Unexamined)]
    if accuracies:
        _show(accuracies, form, output, exact=request.exact)
    unexamined = [result for result in results if isinstance(result, Unexamined)]
    if not quiet:
        left_out = [replace(case, case=case.case.rpartition("/")[0]) for case in plan.left_out]
        left_out += [LeftOut(one.kernel.id, one.reason) for one in unexamined if not one.failed]
        for line in left_out_lines(left_out):
            click.echo(line, err=True)
    refuse_failed(results)


def _form(chosen: str, output: Path | None, *, named: bool) -> str:
    """Return the format: the named one, else that of the file's name. A table in a file is in Markdown.

    `InputError` or `OutputError` for a file that cannot be written.
    """
    from actbench.errors import InputError
    from actbench.runs import files

    if output is not None:
        files.refuse_unwritable(output, f"-o {output}")
        refuse_what_is_read(output, f"-o {output}")
    if output is None or (named and chosen != "table"):
        return chosen
    form = FORM_OF.get(output.suffix.lower())
    if form is None:
        raise InputError(f"-o {output}: name a file that ends in .md, .csv or .json, or give --format")
    if named and form != "markdown":
        raise InputError(f"-o {output}: --format table is for Markdown and the terminal: leave it out")
    return form


def _show(accuracies: Sequence[Surveyed], form: str, output: Path | None, *, exact: bool) -> None:
    """Print the accuracies, or write them to a file."""
    from actbench.report import accuracy as report
    from actbench.report.terminal import show_table
    from actbench.runs.files import write

    match form:
        case "table" if output is None:
            for table in report.tables(accuracies, exact=exact):
                show_table(table)
            return
        case "csv":
            text = report.as_csv(accuracies)
        case "json":
            text = report.as_json(accuracies)
        case _:
            text = report.as_markdown(accuracies, exact=exact)
    if output is None:
        click.echo(text, nl=False)
    else:
        write(output, text)
