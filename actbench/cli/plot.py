"""``actbench plot``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from actbench.cli.parameters import AXES, given_axes, selection_of_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbench.model.cases import Case
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
@click.pass_context
def command(ctx: click.Context, /, kind: str, output: Path, *, dark: bool, **chosen: Any) -> None:
    """Draw one chart of a RUN as SVG, PNG or a page of its own, which opens without a network.

    \b
    functions  activations and their derivatives over z; needs no run
    speedup    times faster than recompute against array size, with the caches' capacities
    time       nanoseconds per element against array size, above a plain copy's
    parts      where each case's time goes for certain: the call, computing in cache, memory and allocation
    accuracy   the largest error of g' against z, as the run's own check found it
    rounds     every round of every case, as its distance from the case's median
    compare    two runs: each case's change, with its interval

    RUN is a run's directory, its pyperf.json, or 'latest', the latest complete run. The options choose the cases to
    draw; speedups are over recompute in any case, and 'functions' takes -a alone.

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
    shown = _picture(ctx, kind, [path for path in (chosen.pop("run"), chosen.pop("candidate")) if path], chosen)
    if shown is None:
        of = "; that is in probes.csv, which runs of stock pyperf lack" if kind == "parts" else ""
        raise InputError(
            f"there is nothing to draw in '{kind}': no case of the run is chosen, or has what it shows{of}"
        )
    write(output, rendered(shown, form, "dark" if dark else "light"))


def _picture(ctx: click.Context, kind: str, runs: Sequence[Path], chosen: dict[str, Any]) -> Picture | None:
    from actbench import plugins, registry
    from actbench.errors import InputError
    from actbench.report import pictures
    from actbench.report.results import analyse
    from actbench.runs.archive import load

    needed = {"functions": 0, "compare": 2}.get(kind, 1)
    if len(runs) != needed:
        wanted = {0: "no run", 1: "one run", 2: "two runs"}[needed]
        raise InputError(f"'{kind}' takes {wanted}, not {len(runs)}: actbench plot --help tells what each shows")
    if kind == "functions":
        if option := next((name for name in _on_command_line(ctx) if name != "activations"), None):
            raise InputError(f"{_flag(ctx, option)}: 'functions' shows activations, and no case: only -a applies")
        names = given_axes(chosen).get("activations") or tuple(registry.activations())
        with plugins.guarded():
            return pictures.functions([registry.activation(name).name for name in names])
    found = [load(path) for path in runs]
    keep = _keep(ctx, chosen, [case for run in found for case in run.plan.cases])
    if kind == "compare":
        before, after = found
        return pictures.of_two(before, after, keep)
    measurements = analyse(found[0].times, pictures.record_of(found[0]))
    return pictures.of_run(kind, found[0], measurements, keep)


def _keep(ctx: click.Context, chosen: dict[str, Any], cases: Sequence[Case]) -> Keep:
    """Return what says whether the user has chosen a case; `InputError` for an option that chooses none of them."""
    _refuse_absent(ctx, chosen, cases)
    given = given_axes(chosen, tuple(dict.fromkeys(case.strategy.partition(":")[0] for case in cases)))

    def keep(case: Case) -> bool:
        named = all(getattr(case, FIELDS[axis]) in values for axis, values in given.items())
        return named and fnmatchcase(case.id, chosen["pattern"])

    return keep


def _refuse_absent(ctx: click.Context, chosen: dict[str, Any], cases: Sequence[Case]) -> None:
    """Raise `InputError` for an option of the command line none of whose values the runs have."""
    from actbench.errors import InputError
    from actbench.model.names import Dtype, unknown_dtype

    for axis in _on_command_line(ctx):
        if axis == "pattern":
            continue
        values = tuple(chain.from_iterable(chosen[axis]))
        present = [*dict.fromkeys(_value(case, axis) for case in cases)]
        if {*values} & {*present}:
            continue
        if axis == "dtypes" and values[0] not in list(Dtype):
            raise unknown_dtype(values[0])
        has = ", ".join(str(value) for value in present if value)
        also = f"; it has {has}" if has else ""
        raise InputError(f"{_flag(ctx, axis)} {','.join(map(str, values))}: the run has no such case{also}")


def _value(case: Case, axis: str) -> Any:
    """Return what a case has on an axis: of the types of residuals, that of its strategy, or nothing."""
    if axis == "residual_dtypes":
        return case.strategy.partition(":")[2]
    return getattr(case, FIELDS[axis])


def _on_command_line(ctx: click.Context) -> list[str]:
    """Name the parameters that choose cases and are on the command line."""
    return [name for name in AXES if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]


def _flag(ctx: click.Context, name: str) -> str:
    """Return how an option is written."""
    return next(parameter.opts[0] for parameter in ctx.command.params if parameter.name == name)
