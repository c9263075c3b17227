"""``actbench recommend``."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.completion import complete
from actbench.cli.formats import format_option
from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.measuring import measured
from actbench.cli.options import inputs, on_command_line, processors, quiet, seed, timeout, usage_shown, user_code
from actbench.cli.recommend_output import show
from actbench.cli.values import Duration, Names, Percent, Range, Rows, SizeText, StrategyName

if TYPE_CHECKING:
    from actbench.analysis.recommendation import Recommendation
    from actbench.measure.earlier import EarlierRun
    from actbench.measure.recommending import Contest
    from actbench.measure.requests import RecommendRequest
    from actbench.measure.session import Seams
    from actbench.runs.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How the answer is made."""

    started: float
    """Start of the command, by the seams' clock."""
    fresh: bool
    """Whether no earlier run is used."""
    quiet: bool


def _single(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse a list, and a glob but for the activation, which may match one."""
    from actbench.planning.globs import is_glob

    del ctx
    if "," in value or (is_glob(value) and param.name != "activation"):
        raise click.BadParameter(f"'{value}' is a list: ask for one at a time", param=param)
    return value


def _number(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """Refuse what is no number."""
    del ctx
    if value is not None and isnan(value):
        raise click.BadParameter("'nan' is no bound: write a number", param=param)
    return value


@click.command()
@click.option(
    "-a",
    "--activation",
    required=True,
    metavar="ACT",
    callback=_single,
    shell_complete=complete,
    help="The activation, e.g. tanh.",
)
@click.option(
    "-d",
    "--dtype",
    default="float32",
    show_default=True,
    callback=_single,
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
    help="Backends; with several, these are compared too. [default: numpy]",
)
@click.option(
    "-s", "--strategy", "strategies", multiple=True, type=Names("STRATEGY", StrategyName()), help="[default: all]"
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
    default="step",
    show_default=True,
    callback=_single,
    shell_complete=complete,
    help="derivative, backward or step.",
)
@click.option(
    "--operands",
    default="residuals-cold",
    show_default=True,
    callback=_single,
    shell_complete=complete,
    help="Where operands lie; residuals-cold predicts a training step best.",
)
@click.option(
    "--max-error",
    type=click.FloatRange(min=0, max=1e300, min_open=True),
    callback=_number,
    help="Largest relative error of g' that is allowed, without what one rounding of z causes.",
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
    "--max-ulp", type=click.FloatRange(min=0), callback=_number, help="Largest error of g' that is allowed, in ULP."
)
@click.option(
    "--max-kept",
    type=click.FloatRange(min=0),
    callback=_number,
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
    default="30s",
    show_default=True,
    help="Time that it may take, checking kernels included; one round is measured in any case.",
)
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Runs that are used before anything is measured. [default: those of this host under results/]",
)
@click.option("--fresh", is_flag=True, help="Use no run that is there already.")
@format_option(("text", "markdown", "json", "code"), "; code is what to paste into a program")
@seed
@processors
@timeout
@user_code
@quiet
@click.pass_context
@usage_shown()
def command(
    ctx: click.Context, /, *, sources: tuple[Path, ...], fresh: bool, form: str, quiet: bool, **options: Any
) -> None:
    """Say what a layer should keep for g', how much that gains, and what it costs in accuracy.

    The strategies race: rounds are measured until all but ties have lost, or the budget is spent. Strategies that break
    a bound do not take part. Of ties, the one that keeps least beside what is alive anyway is recommended.

    Exit codes: 0 for one strategy or ties, 3 where the budget leaves it open, 4 where a kernel is wrong or failed.

    \b
    Examples:
      actbench recommend -a tanh
      actbench recommend -a gelu -d float32 -b numba-simd -n 4M --max-error 1e-5
      actbench recommend -a logistic --within mlp:784-512-512-10 --batch 128
      actbench recommend -a silu --alive y,z --max-kept 0 --format json
    """
    from actbench.analysis.standings import fewest_rounds
    from actbench.api.running import fail_for
    from actbench.errors import ExitCode
    from actbench.measure import recommending
    from actbench.measure.session import Seams

    if sources and fresh:
        raise click.UsageError("--fresh uses no earlier run: leave --from out")
    if options["within"] and (alone := {"size", "op", "operands"} & on_command_line(ctx)):
        raise click.UsageError(
            f"--within races in training steps, of {options['batch']} rows: leave --{min(alone)} out"
        )
    end_as_by_ctrl_c()
    seams: Seams = ctx.obj or Seams()
    started = seams.clock()
    contest = recommending.prepare(_request(options), seams.start_worker)
    outcome, remarks, record = _outcome(contest, sources, seams, _How(started=started, fresh=fresh, quiet=quiet))
    show(outcome, remarks, form)
    if record is not None:
        fail_for(record)
    if outcome.open:
        fewest = fewest_rounds(len(outcome.racing))
        click.echo(
            f"the budget leaves it open (no strategy can lose before {fewest} rounds): give --budget more time, or "
            "--margin more room",
            err=True,
        )
        ctx.exit(ExitCode.INCONCLUSIVE)


def _request(options: dict[str, Any]) -> RecommendRequest:
    from actbench.measure.requests import Bounds, RecommendRequest

    bounds = {name: options.pop(name) for name in ("max_error", "interval", "max_ulp", "max_kept")}
    alive = frozenset(sum(options.pop("alive"), ())) or frozenset({"y"})
    options |= {name: sum(options.pop(name), ()) for name in ("strategies", "residual_dtypes", "backends")}
    options["backends"] = options["backends"] or ("numpy",)
    return RecommendRequest(**options, bounds=Bounds(**bounds, alive=alive))


def _outcome(
    contest: Contest, sources: tuple[Path, ...], seams: Seams, mode: _How
) -> tuple[Recommendation, list[str], Record | None]:
    """Return the outcome by earlier runs where they decide it, else by a new one, of which the record is returned."""
    from actbench.analysis.standings import is_decided
    from actbench.errors import NotComparableError
    from actbench.measure import earlier

    record = contest.prepared.record(seams.start_worker)
    record.leave_out(contest.left_out)
    if not mode.fresh:
        known = earlier.evidence(sources or earlier.found_here(), record, contest.request.margin, named=bool(sources))
        if sources and not known:
            raise NotComparableError(
                f"--from {sources[0]}: it has not all of these strategies on such operands: leave --from out to measure"
            )
        if known and is_decided([*known.places.values()]):
            return contest.recommendation(known.places), _of(known), None
        if sources:
            click.echo(f"{sources[0]} does not decide it: measuring", err=True)
    return *_measured(contest, record, seams, mode), record


def _of(known: EarlierRun) -> list[str]:
    """Say which run it is, its age, and what differs from here."""
    return [f"From {known.path}, made {known.created}: nothing was measured now (--fresh measures).", *known.foreign]


def _measured(contest: Contest, record: Record, seams: Seams, mode: _How) -> tuple[Recommendation, list[str]]:
    """Measure the race; `KeyboardInterrupt` where Ctrl-C ended it."""
    from actbench.measure.racing import Racing
    from actbench.measure.session import Session
    from actbench.runs.writer import create

    race = Racing(contest.request.margin, contest.request.budget, len(record.plan.cases) - 1)
    with create(None, record) as writer:
        session = Session(writer.record, writer.times, mode.started, 1, seams, stopping=race)
        _, interrupted = measured(session, writer, quiet=mode.quiet)
    if interrupted:
        raise KeyboardInterrupt
    left_out = [f"{one.case}: {one.reason}" for one in writer.record.plan.left_out if one.failed]
    return contest.recommendation(race.places), [f"Measured now, written to {writer.directory}.", *left_out]
