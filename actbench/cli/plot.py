"""``actbench plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from actbench.cli.options import AXES, on_command_line, selection_of_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbench.planning.selection import Selection
    from actbench.report.charts.style import Picture

KINDS = ("functions", "speedup", "time", "parts", "accuracy", "rounds", "step", "memory", "gain", "compare")

WHERE = {
    "speedup": "; speedups are over recompute, within a backend: the run has to have that, and another strategy",
    "parts": "; that is in probes.csv, which runs of stock pyperf lack",
    "gain": "; it takes several batches, or networks of several widths, and leaves checkpoint out",
}
"""What a kind of chart takes that not every run has."""


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.argument("candidate", type=click.Path(path_type=Path), required=False, metavar="[RUN]")
@selection_of_cases
@click.option("--dark", is_flag=True, help="Light ink on dark paper.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
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
    from actbench.errors import InputError
    from actbench.report.charts.render import FORMATS, rendered
    from actbench.runs.files import write

    form = output.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise InputError(f"-o {output}: name a file that ends in .{', .'.join(FORMATS)}")
    picture = _picture(ctx, kind, [path for path in (run, candidate) if path], selection)
    if picture is None:
        of = WHERE.get(kind, "")
        raise InputError(
            f"there is nothing to draw in '{kind}': no case of the run is chosen, or has what it shows{of}"
        )
    write(output, rendered(picture, form, "dark" if dark else "light"))


def _picture(ctx: click.Context, kind: str, runs: Sequence[Path], selection: Selection) -> Picture | None:
    from actbench import plugins, registry
    from actbench.errors import InputError
    from actbench.report import pictures
    from actbench.report.narrowing import narrowed
    from actbench.report.results import analyse
    from actbench.runs.archive import load

    options = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    named = [axis for axis in AXES if axis in on_command_line(ctx)]
    needed = {"functions": 0, "compare": 2}.get(kind, 1)
    if len(runs) != needed:
        wanted = {0: "no run", 1: "one run", 2: "two runs"}[needed]
        raise InputError(f"'{kind}' takes {wanted}, not {len(runs)}: actbench plot --help says what each shows")
    if kind == "functions":
        if axis := next((axis for axis in named if axis != "activations"), None):
            raise InputError(f"{options[axis]}: 'functions' shows activations, and no case: only -a applies")
        names = selection.activations or tuple(registry.activations())
        with plugins.guarded():
            return pictures.functions([registry.activation(name) for name in names])
    loaded = [load(path) for path in runs]
    cases = [case for run in loaded for case in run.plan.cases]
    keep = narrowed(selection, cases, {axis: options[axis] for axis in named})
    if kind == "compare":
        before, after = loaded
        return pictures.of_two(before, after, keep)
    measurements = analyse(loaded[0].times, pictures.record_of(loaded[0]))
    return pictures.of_run(kind, loaded[0], measurements, keep)
