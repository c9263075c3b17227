"""``actbench plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.options import AXES, on_command_line, selection_of_cases
from actbench.cli.values import PathName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbench.planning.selection import Selection
    from actbench.report.charts.style import Picture

KINDS = ("functions", "speedup", "time", "parts", "accuracy", "rounds", "step", "memory", "gain", "compare")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("run", type=PathName(), required=False)
@click.argument("candidate", type=PathName(), required=False, metavar="[RUN]")
@selection_of_cases
@click.option("--dark", is_flag=True, help="Light ink on dark paper.")
@click.option(
    "-o",
    "--output",
    type=PathName(),
    required=True,
    metavar="FILE",
    help="FILE.svg, FILE.png or FILE.html.",
)
@click.pass_context
def command(  # noqa: PLR0913  # one for each option
    ctx: click.Context,
    /,
    *,
    kind: str,
    run: Path | None,
    candidate: Path | None,
    selection: Selection,
    dark: bool,
    output: Path,
) -> None:
    """Draw one chart of a RUN as SVG, PNG or a separate page, which opens without a network.

    \b
    functions  activations and their derivatives over z; needs no run
    speedup    times faster than recompute against array size, with the caches' capacities
    time       nanoseconds per element against array size, above a plain copy's
    parts      where each case's time certainly goes: the call, the elements in cache, memory and allocation
    accuracy   the largest error of g' against z, from the run's own check
    rounds     every round of every case, as its distance from the case's median
    step       of training steps: the parts of each arm's step, stacked
    memory     of training steps: the bytes that each arm keeps, against the time of its step
    gain       of training steps: the share of a step that is saved, against batch or width
    compare    two runs: each case's change, with its interval

    RUN is a run's directory, its pyperf.json, or 'latest', the latest complete run. The options choose the cases to
    draw; speedups are over recompute in any case, and 'functions' takes -a alone.

    \b
    Examples:
      actbench plot functions -a logistic,tanh,gelu -o functions.svg
      actbench plot speedup latest -d float64 -o speedup.svg
      actbench plot step latest -a gelu -o step.svg
      actbench plot compare results/reference latest -o compare.png
    """
    from actbench.report.charts.render import form_of, rendered
    from actbench.runs.files import write

    form = form_of(output)
    picture = _picture(ctx, kind, [path for path in (run, candidate) if path], selection)
    write(output, rendered(picture, form, "dark" if dark else "light"))


def _picture(ctx: click.Context, kind: str, runs: Sequence[Path], selection: Selection) -> Picture:
    from actbench.api import charts
    from actbench.errors import InputError
    from actbench.runs.archive import load

    options = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    named = [axis for axis in AXES if axis in on_command_line(ctx)]
    needed = {"functions": 0, "compare": 2}.get(kind, 1)
    if len(runs) != needed:
        wanted = {0: "no run", 1: "one run", 2: "two runs"}[needed]
        raise InputError(f"'{kind}' takes {wanted}, not {len(runs)}: actbench plot --help says what each shows")
    if kind != "functions":
        return charts.of_runs(kind, [*map(load, runs)], selection, {axis: options[axis] for axis in named})
    if axis := next((axis for axis in named if axis != "activations"), None):
        raise InputError(f"{options[axis]}: 'functions' shows activations, and no case: only -a applies")
    return charts.functions(selection.activations)
