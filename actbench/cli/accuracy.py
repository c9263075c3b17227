"""``actbench accuracy``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from actbench.cli.parameters import DEFAULT_TIMEOUT, axes, given_axes, names

if TYPE_CHECKING:
    from actbench.analysis.accuracy import Accuracy
    from actbench.measure.accuracy import Unexamined
    from actbench.measure.session import Seams
    from actbench.model.cases import Kernel
    from actbench.model.plan import Plan


FORM_OF = {"": "markdown", ".md": "markdown", ".csv": "csv", ".json": "json"}
"""The format that a file's name asks for, where --format does not."""


@click.command()
@names
@click.option(
    "--residuals",
    type=click.Choice(["computed", "exact"]),
    default="computed",
    show_default=True,
    help="What strategies keep: as numpy's forward pass gives it, or correctly rounded.",
)
@click.option(
    "--points",
    type=click.IntRange(min=10, max=100_000),
    default=150,
    show_default=True,
    help="Points a band of z and tail.",
)
@click.option("--exhaustive", is_flag=True, help="Every finite float32: minutes a kernel.")
@click.option("--seed", type=click.IntRange(min=0, max=2**63), default=0, show_default=True, help="Seed of the points.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write to, in place of stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def command(ctx: click.Context, /, **chosen: Any) -> None:
    """Tell how far kernels are from the true derivative, and in which zones of z it is lost.

    By default every activation and strategy, for python, numpy and numba, in float32 and float64. Errors are in units
    in the last place (ULP) of the kernel's dtype, against mpmath; by band of z, both tails apart, and for z drawn from
    N(0, 1). A largest error is that of the points that were looked at. A zone begins and ends at the very numbers of
    the format; what is lost between two points that were looked at may be missed. The csv and json formats have every
    band and zone. Exit code 4: some kernel cannot be looked at, such as one that its backend cannot compile, or that
    twice took the worker down; the others are told.

    \b
    Examples:
      actbench accuracy -a logistic,tanh
      actbench accuracy -b numpy,numba-simd -d float64 --format csv -o accuracy.csv
      actbench accuracy -a logistic -s cached --residuals exact
      actbench accuracy -a tanh -s recompute -b numba-simd -d float32 --exhaustive
    """
    from actbench.errors import BenchmarkError, listed
    from actbench.measure.accuracy import Unexamined
    from actbench.report.summary import left_out_lines

    exact = chosen["residuals"] == "exact"
    named = ctx.get_parameter_source("form") is ParameterSource.COMMANDLINE
    form = _form(chosen["form"], chosen["output"], named=named)
    plan = _plan(chosen)
    surveyed = _survey(plan.kernels, ctx.obj, chosen, exact=exact)
    if found := [each for each in surveyed if not isinstance(each, Unexamined)]:
        _tell(found, form, chosen["output"], exact=exact)
    if not chosen["quiet"]:
        for line in left_out_lines(replace(each, case=each.case.rpartition("/")[0]) for each in plan.left_out):
            click.echo(line, err=True)
    missing = [each for each in surveyed if isinstance(each, Unexamined)]
    if missing:
        first, *others = missing
        also = f"; nor can {listed([each.kernel.id for each in others])}" if others else ""
        raise BenchmarkError(f"{first.kernel.id} cannot be looked at: {first.reason}{also}")


def _form(chosen: str, output: Path | None, *, named: bool) -> str:
    """Return the format: the one that is named, else that of the file's name; in a file a table is of Markdown."""
    from actbench.errors import InputError

    if output and (output.is_dir() or not output.parent.is_dir()):
        raise InputError(f"-o {output}: cannot write there: name a file in a directory that exists")
    if output is None or (named and chosen != "table"):
        return chosen
    form = FORM_OF.get(output.suffix.lower())
    if form is None:
        raise InputError(f"-o {output}: name a file that ends in .md, .csv or .json, or give --format")
    if named and form != "markdown":
        raise InputError(f"-o {output}: --format table is for Markdown and the terminal: leave it out")
    return form


def _tell(found: list[Accuracy], form: str, output: Path | None, *, exact: bool) -> None:
    """Print what was found, or write it to a file."""
    from actbench.report import accuracy as report
    from actbench.report.terminal import show_table
    from actbench.runs.files import write

    match form:
        case "table" if output is None:
            for table in report.tables(found, exact=exact):
                show_table(table)
            return
        case "csv":
            text = report.as_csv(found)
        case "json":
            text = report.as_json(found)
        case _:
            text = report.as_markdown(found, exact=exact)
    if output is None:
        click.echo(text, nl=False)
    else:
        write(output, text)


def _survey(
    kernels: Sequence[Kernel], seams: Seams | None, chosen: dict[str, Any], *, exact: bool
) -> list[Accuracy | Unexamined]:
    """Look at every kernel of the selection."""
    from actbench.measure import accuracy, exhaustive
    from actbench.measure.launch import Launch, WorkerOptions
    from actbench.measure.session import Seams
    from actbench.report.progress import Progress

    launch = Launch((seams or Seams()).start_worker, WorkerOptions(None, DEFAULT_TIMEOUT))
    sampled = accuracy.Survey(chosen["points"], exact=exact, seed=chosen["seed"])
    found: list[Accuracy | Unexamined] = []
    with Progress(quiet=chosen["quiet"]) as progress:
        if chosen["exhaustive"]:
            for event in exhaustive.survey(kernels, launch, sampled):
                if isinstance(event, exhaustive.Going):
                    stage = f"every number, kernel {len(found) + 1} of {len(kernels)}"
                    progress.draw(stage, event.done, event.total, event.kernel.id)
                else:
                    found.append(event)
        else:
            for event in sampled.of(kernels, launch):
                found.append(event)
                progress.draw("kernels", len(found), len(kernels), event.kernel.id)
    return found


def _plan(chosen: dict[str, Any]) -> Plan:
    """Return a plan whose kernels are those of the selection."""
    from actbench import registry
    from actbench.errors import InputError
    from actbench.host.environment import memory
    from actbench.model.cases import OVERHEAD
    from actbench.model.names import Dtype, Op
    from actbench.planning import presets, suite

    everything = presets.Axes(
        activations=tuple(registry.activations()),
        strategies=tuple(registry.strategies()),
        backends=presets.get("default").axes.backends,
        ops=(Op.DERIVATIVE,),
        dtypes=tuple(Dtype),
        sizes=(1,),
    )
    if OVERHEAD in given_axes(chosen, everything.strategies).get("activations", ()):
        raise InputError(f"'{OVERHEAD}' has no derivative to be held to: name activations with -a")
    return suite.plan(axes(everything, chosen), pattern=chosen["pattern"], seed=0, memory=memory())
