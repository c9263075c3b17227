"""``actbench plot``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.parameters import given_axes, selection_of_cases

if TYPE_CHECKING:
    from actbench.report.charts.style import Picture
    from actbench.report.pictures import Keep

FIELDS = {
    "activations": "activation",
    "backends": "backend",
    "strategies": "strategy",
    "ops": "op",
    "dtypes": "dtype",
    "sizes": "size",
}
"""What an axis is of a case."""

KINDS = ("functions", "speedup", "time", "parts", "accuracy", "rounds", "compare")


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
def command(kind: str, run: Path | None, candidate: Path | None, output: Path, *, dark: bool, **chosen: Any) -> None:
    """Draw one chart of a RUN as SVG, PNG or a page of its own, which opens without a network.

    \b
    functions  activations and their derivatives over z; needs no run
    speedup    times faster than recompute against array size, with the caches' capacities
    time       nanoseconds per element against array size, above a plain copy's
    parts      where each case's time goes: the call, computing in cache, memory and allocation
    accuracy   the largest error of g' against z, as the run's own check found it
    rounds     every round of every case, as its distance from the case's median
    compare    two runs: each case's change, with its interval

    RUN is a run's directory, its pyperf.json, or 'latest'. The options choose the cases to draw.

    \b
    Examples:
      actbench plot functions -a logistic,tanh,gelu -o functions.svg
      actbench plot speedup latest -d float64 -o speedup.svg
      actbench plot compare results/reference latest -o compare.png
    """
    from actbench.errors import InputError
    from actbench.report.charts.render import FORMATS, rendered
    from actbench.runs.files import write

    form = output.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise InputError(f"-o {output}: name a file that ends in .{', .'.join(FORMATS)}")
    shown = _picture(kind, run, candidate, chosen)
    if shown is None:
        raise InputError(f"there is nothing to draw in '{kind}': no case of the run is chosen, or has what it shows")
    write(output, rendered(shown, form, "dark" if dark else "light"))


def _picture(kind: str, run: Path | None, candidate: Path | None, chosen: dict[str, Any]) -> Picture | None:
    from actbench import activations, loading
    from actbench.errors import InputError
    from actbench.report import pictures
    from actbench.report.measured import measured
    from actbench.runs.archive import load

    needed = {"functions": 0, "compare": 2}.get(kind, 1)
    named = sum(path is not None for path in (run, candidate))
    if named != needed:
        runs = {0: "no run", 1: "one run", 2: "two runs"}
        raise InputError(f"'{kind}' takes {runs[needed]}, not {named}: actbench plot --help tells what each shows")
    if kind == "functions":
        given = given_axes(chosen)
        names = given.pop("activations", tuple(activations.catalogue()))
        if given or chosen["pattern"] != "*":
            raise InputError("'functions' shows activations, and no case: of the options that choose, only -a applies")
        with loading.guarded():
            return pictures.functions([activations.get(name).name for name in names])
    found = [load(path) for path in (run, candidate) if path]
    if kind == "compare":
        return pictures.of_two(*found)
    measurements = measured(found[0].times, pictures.record_of(found[0]))
    return pictures.of_run(kind, found[0], measurements, _keep(chosen))


def _keep(chosen: dict[str, Any]) -> Keep:
    """Return what says whether the user has chosen a case."""
    from actbench.model import STRATEGIES, Case

    given = given_axes(chosen, tuple(STRATEGIES))

    def keep(case: Case) -> bool:
        named = all(getattr(case, FIELDS[axis]) in values for axis, values in given.items())
        return named and fnmatchcase(case.id, chosen["pattern"])

    return keep
