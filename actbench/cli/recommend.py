"""``actbench recommend``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from actbench.cli.completion import complete
from actbench.cli.formats import format_option
from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.options import (
    inputs,
    max_call,
    processors,
    quiet,
    seed,
    timeout,
    usage_shown,
    user_code,
)
from actbench.cli.recommend_contradictions import refuse_contradictions
from actbench.cli.recommend_output import make_room, show, show_all, show_with_frameworks
from actbench.cli.values import (
    Bound,
    Duration,
    Names,
    PathName,
    Percent,
    Range,
    RelativeError,
    Rows,
    SizeText,
    StrategyName,
)

if TYPE_CHECKING:
    from actbench.engine.requests import RecommendRequest
    from actbench.engine.session import Seams

BUDGET, BUDGET_OF_ALL = 30.0, 1200.0
"""Seconds, where none are named."""

ALL_STRATEGIES = "all"
"""What stands for all strategies, as where none is named."""


def _axis(ctx: click.Context, param: click.Parameter, value: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return what is named of an axis: one, or with --all as many as are named, and nothing for all that there are.

    A glob may match one activation.
    """
    from actbench.planning.globs import is_glob

    if ctx.params.get("everything"):
        default = ctx.get_parameter_source(str(param.name)) is ParameterSource.DEFAULT
        return () if default or value is None else value
    if value is None:
        raise click.MissingParameter(ctx=ctx, param=param)
    if len(value) > 1 or (param.name != "activations" and any(map(is_glob, value))):
        raise click.BadParameter(f"'{','.join(value)}' is a list: ask for one at a time", param=param)
    return value


@click.command()
@click.option(
    "--all",
    "everything",
    is_flag=True,
    is_eager=True,  # what may be named depends on it
    help="Make a table of all activations, dtypes, ops and states of operands; -a, -d, --op and --operands then name "
    "some of them.",
)
@click.option(
    "-a",
    "--activation",
    "activations",
    type=Names("ACT"),
    callback=_axis,
    shell_complete=complete,
    help="The activation, e.g. tanh.",
)
@click.option(
    "-d",
    "--dtype",
    "dtypes",
    type=Names("DTYPE"),
    default="float32",
    show_default=True,
    callback=_axis,
    shell_complete=complete,
    help="The type that is computed in.",
)
@click.option("-n", "--size", type=SizeText(), default="100k", show_default=True, help="Elements, or a shape.")
@click.option("--within", metavar="NETWORK", help="Measure in a training step of this network, e.g. ffn:1024-4096.")
@click.option("--batch", type=Rows(), default="128", show_default=True, help="Rows, of a network.")
@click.option(
    "-b",
    "--backend",
    "backends",
    multiple=True,
    type=Names("BACKEND"),
    help="Backends; with several, these are compared too, but each has its own row with --all. [default: numpy]",
)
@click.option(
    "-s",
    "--strategy",
    "strategies",
    multiple=True,
    type=Names("STRATEGY", StrategyName()),
    help="Strategies; with --within checkpoint, too. [default: all]",
)
@click.option(
    "--residual-dtype",
    "residual_dtypes",
    multiple=True,
    type=Names("DTYPE"),
    help="Compare each strategy with its residuals in a narrower type, too.",
)
@click.option(
    "--op",
    "ops",
    type=Names("OP"),
    default="step",
    show_default=True,
    callback=_axis,
    shell_complete=complete,
    help="derivative, backward or step.",
)
@click.option(
    "--operands",
    type=Names("STATE"),
    default="residuals-cold",
    show_default=True,
    callback=_axis,
    shell_complete=complete,
    help="Where operands lie; residuals-cold is as in a network that keeps more than the cache holds. Where a cache is "
    "too large for it, and no state is named, they are warm.",
)
@click.option(
    "--max-error",
    type=RelativeError(),
    help="Largest relative error of g' that is allowed, without what one rounding of z causes, e.g. 1e-5 or 0.001%.",
)
@click.option(
    "--on",
    "interval",
    type=Range(),
    default="-8:8",
    show_default=True,
    metavar="LOW:HIGH",
    help="The z in which errors count, where there are no --inputs.",
)
@click.option(
    "--max-ulp",
    type=Bound(),
    help="Largest error of g' that is allowed, in ULP, with what rounding of z causes.",
)
@click.option(
    "--max-kept",
    type=Bound(),
    metavar="BYTES",
    help="Most bytes per element that may be kept beside those that are alive anyway.",
)
@click.option(
    "--alive",
    multiple=True,
    type=Names("NAME"),
    help="What the network holds whatever the strategy: y, z. [default: y]",
)
@inputs
@click.option(
    "--margin", type=Percent(), default="2", show_default=True, help="Strategies this close in time are ties."
)
@click.option(
    "--budget",
    type=Duration(),
    help="Time that it may take, checking kernels included; one round is measured in any case. "
    "[default: 30s; 20m with --all]",
)
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=PathName(),
    metavar="RUN",
    help="Runs that are used before anything is measured. [default: those of this host under results/]",
)
@click.option("--fresh", is_flag=True, help="Use no run that is there already.")
@click.option(
    "--others",
    is_flag=True,
    help="Also say what torch, torch.compile and jax keep, and how much slower that is, measured after the race.",
)
@format_option(("text", "markdown", "json", "code", "csv"), "; code is what to paste into a program, csv is of --all")
@click.option(
    "-o",
    "--output",
    type=PathName(),
    metavar="DIR",
    help="Directory for the table of --all as Markdown, CSV, JSON and a page; files of before are replaced.",
)
@seed
@processors
@timeout
@max_call
@user_code
@quiet
@click.pass_context
@usage_shown()
def command(
    ctx: click.Context, /, *, sources: tuple[Path, ...], fresh: bool, form: str, quiet: bool, **options: Any
) -> None:
    """Say what a layer should keep for g', how much that gains, and what it costs in accuracy.

    The strategies race: rounds are measured until all but ties have lost, or the budget is spent. Strategies that break
    a bound do not take part. Of ties, the one that keeps least beside what is alive anyway is recommended. Runs of this
    host that are there already count, and what they leave open is measured: after Ctrl-C, the same command goes on.

    Exit codes: 0 for one strategy or ties, 3 where the budget leaves it open, 4 where a kernel is wrong or failed.

    \b
    Examples:
      actbench recommend -a tanh
      actbench recommend -a silu -d float32 -b numba-simd -n 4M --max-error 1e-5
      actbench recommend -a logistic --within mlp:784-512-512-10 --batch 128
      actbench recommend -a silu --alive y,z --max-kept 0 --format json
      actbench recommend -a gelu -b torch --others
      actbench recommend --all -b numpy,numba-simd -o results/recommend
    """
    from actbench.cli.recommend_races import RaceMode, compare_frameworks, end, settle
    from actbench.engine.races import recommending
    from actbench.engine.session import Seams

    everything, others, output = (options.pop(name) for name in ("everything", "others", "output"))
    refuse_contradictions(ctx)
    end_as_by_ctrl_c()
    seams: Seams = ctx.obj or Seams()
    mode = RaceMode(seams.clock(), sources, fresh=fresh, quiet=quiet)
    may_be_warm = not everything and ctx.get_parameter_source("operands") is ParameterSource.DEFAULT
    request = _request(options, everything=everything, may_be_warm=may_be_warm)
    contest = recommending.prepare(request, seams.start_worker)
    if output:
        make_room(output)
    settled = settle(contest, mode, seams)
    of_frameworks = None
    if everything:
        show_all(settled, form, output)
    elif not settled.interrupted:
        (outcome,) = settled.outcomes
        if others and outcome.racing:
            compare = partial(compare_frameworks, contest.request, outcome, mode, seams)
            of_frameworks = show_with_frameworks(outcome, settled, form, compare)
        else:
            show(outcome, settled, form)
    end(ctx, settled, of_frameworks)


def _request(options: dict[str, Any], *, everything: bool, may_be_warm: bool) -> RecommendRequest:
    from actbench import registry
    from actbench.engine.requests import Bounds, RecommendRequest
    from actbench.model.names import FIRST_ORDER, WIDE, OperandState

    bounds = {name: options.pop(name) for name in ("max_error", "interval", "max_ulp", "max_kept")}
    alive = frozenset(sum(options.pop("alive"), ())) or frozenset({"y"})
    options |= {name: sum(options.pop(name), ()) for name in ("strategies", "residual_dtypes", "backends")}
    if ALL_STRATEGIES in options["strategies"]:
        options["strategies"] = ()
    options["backends"] = options["backends"] or ("numpy",)
    options["budget"] = options["budget"] or (BUDGET_OF_ALL if everything else BUDGET)
    every = {
        "activations": tuple(registry.elementwise()),
        "dtypes": WIDE,
        "ops": FIRST_ORDER,
        "operands": (OperandState.WARM, OperandState.RESIDUALS_COLD),
    }
    options |= {name: options[name] or names for name, names in every.items()}
    limits = Bounds(**bounds, alive=alive)
    return RecommendRequest(**options, apart=everything, bounds=limits, may_be_warm=may_be_warm)
