"""``actbench run``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.parameters import (
    AXES,
    DEFAULT_TIMEOUT,
    Duration,
    Percent,
    axes,
    load_for,
    processors,
    selection,
    timeout,
)
from actbench.runs.limits import MOST_ROUNDS

if TYPE_CHECKING:
    from actbench.host.environment import Environment
    from actbench.measure.session import Seams
    from actbench.model.loaded import Loaded
    from actbench.model.plan import Plan
    from actbench.planning.presets import Preset
    from actbench.report.summary import Summary
    from actbench.runs.record import Record
    from actbench.runs.writer import Writer

DEFAULT_TARGET = 0.02
"""Relative half width of an interval."""

PLANNING = ("preset", *AXES, "seed", "engine", "max_call")
"""Parameters that decide what is measured, and must not change when a run goes on."""


@click.command()
@selection("default")
@click.option(
    "--rounds",
    type=click.IntRange(min=1, max=MOST_ROUNDS),
    help="Exactly so many rounds, whatever the target; with --budget, as many of them as it has time for.",
)
@click.option("--target", type=Percent(), help="Stop when every speedup's 95 % interval is within ± this. [default: 2]")
@click.option(
    "--budget",
    type=Duration(),
    help="Time the run may take, e.g. 90s or 10m, once its kernels are compiled and a first round is measured. "
    "[default: the preset's]",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**63), help="Seed of inputs and order. [default: random]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Directory of the run. [default: under results/]")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the run in DIR, or with 'latest', complete or not; what failed is tried again.",
)
@click.option(
    "--engine", type=click.Choice(["interleaved", "pyperf"]), help="How cases are timed. [default: interleaved]"
)
@processors
@timeout
@click.option("--max-call", type=Duration(), help="Leave out cases whose single call takes longer. [default: 500ms]")
@click.option("--dry-run", is_flag=True, help="Print the cases and the predicted duration, and measure nothing.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def command(ctx: click.Context, /, **chosen: Any) -> None:
    """Measure, and print which strategy is faster, by how much, and how surely.

    Writes run.json, pyperf.json, values.csv, probes.csv, cases.csv, speedups.csv, summary.md and, from four sizes
    on, crossovers.csv, anew after every round. Ctrl-C keeps what is finished; --resume goes on,
    and tries anew what failed.

    \b
    Examples:
      actbench run
      actbench run -a logistic -b numpy,numba -n 10k --target 1
      actbench run --preset full --budget 30m -o results/overnight
      actbench run --filter '*/cached/*' --dry-run
      actbench run --resume results/overnight --budget 1h
    """
    from actbench.errors import LoadedCodeError, WrongKernelError
    from actbench.measure.session import Seams, Session
    from actbench.report import terminal
    from actbench.report.progress import Progress
    from actbench.runs.record import Status

    seams: Seams = ctx.obj or Seams()
    started = seams.clock()
    if chosen["dry_run"]:
        _print_plan(chosen)
        return
    end_as_by_ctrl_c()
    with _opened(ctx, chosen) as writer:
        session = Session(writer.record, writer.times, started, _min_rounds(chosen), seams)
        status = Status.INTERRUPTED
        try:
            with Progress(quiet=chosen["quiet"]) as progress:
                for event in session.events():
                    progress.show(event)
                    writer.take(event)
                    _publish_round(event, writer)
            status = Status.COMPLETE
        except KeyboardInterrupt:
            more = f"actbench run --resume {writer.directory} goes on"
            click.echo(f"interrupted: what is finished is kept; {more}", err=True)
        except (WrongKernelError, LoadedCodeError):
            status = Status.REFUSED
            raise
        finally:
            writer.close(status, seams.clock() - started)
            summary = _publish(writer)
    try:
        terminal.show(summary)
    finally:
        click.echo(f"\nwritten to {writer.directory}", err=True)
    if status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    _fail_for(writer.record)


def _opened(ctx: click.Context, chosen: dict[str, Any]) -> AbstractContextManager[Writer]:
    """Begin the run, or go on with the one to resume."""
    from actbench.host import environment
    from actbench.runs import writer

    cpu = environment.choose_cpu(chosen["affinity"])
    if chosen["resume"] is not None:
        return _resumed(ctx, chosen, cpu)
    return writer.create(chosen["output"], _new_record(ctx, chosen, cpu))


def _here(ctx: click.Context, cpu: int | None, plan: Plan) -> Environment:
    """Look at this host, and at the libraries and devices that the plan uses."""
    from actbench.measure.environment import collect_environment
    from actbench.measure.session import Seams

    seams: Seams = ctx.obj or Seams()
    return collect_environment(seams.start_worker, cpu, (case.backend for case in plan.cases))


def _new_record(ctx: click.Context, chosen: dict[str, Any], cpu: int | None) -> Record:
    from actbench import plugins
    from actbench.host import environment
    from actbench.planning import costs, suite
    from actbench.runs.record import Engine, Record, Settings

    engine = Engine(chosen["engine"] or Engine.INTERLEAVED)
    threads = environment.choose_threads(chosen["threads"])
    _check_limits(chosen, engine)
    plan, preset = _planned(chosen, _seed(chosen))
    threaded = suite.threaded(plan)
    if threaded and engine is Engine.PYPERF:
        raise click.UsageError(
            "stock pyperf (--engine pyperf) pins its processes to one processor: leave backends of several threads out"
        )
    if not threaded and ctx.get_parameter_source("threads") is ParameterSource.COMMANDLINE and not chosen["quiet"]:
        click.echo(f"--threads {threads} changes nothing: no backend of this run uses several threads", err=True)
    budget = None if chosen["rounds"] or engine is Engine.PYPERF else preset.budget
    settings = Settings(
        preset=preset.name,
        engine=engine,
        target=chosen["target"] or DEFAULT_TARGET,
        budget=chosen["budget"] or budget,
        rounds=chosen["rounds"],
        arm_seconds=costs.arm_seconds(plan, preset.arm_seconds),
        timeout=chosen["timeout"] or DEFAULT_TIMEOUT,
        threads=threads if threaded else 1,
    )
    if chosen["budget"] and not chosen["rounds"] and engine is Engine.INTERLEAVED and not chosen["quiet"]:
        _warn_of_few_rounds(plan, preset, chosen["budget"])
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Record(plan, settings, _here(ctx, cpu, plan), created, loaded=environment.public_code(plugins.loaded()))


@contextmanager
def _resumed(ctx: click.Context, chosen: dict[str, Any], cpu: int | None) -> Iterator[Writer]:
    """Go on with a run on the same host, with the same plan; limits given now replace those of before."""
    from dataclasses import replace

    from actbench.errors import NotComparableError
    from actbench.host import environment
    from actbench.runs.writer import reopen

    if chosen["output"] is not None:
        raise click.UsageError("--resume goes on in its own directory: leave -o out")
    with reopen(chosen["resume"]) as writer:
        record = writer.record
        _load_again(ctx, chosen, record.loaded)
        here = _here(ctx, cpu, record.plan)
        environment.refuse_other(record.environment, here)
        given = {name for name in PLANNING if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
        seed = chosen["seed"] if "seed" in given else record.plan.seed
        engine = chosen["engine"] or record.settings.engine
        another = given and (_planned(chosen, seed)[0], engine) != (record.plan, record.settings.engine)
        if another or (chosen["threads"] or record.settings.threads) != record.settings.threads:
            raise NotComparableError(
                f"--resume {chosen['resume']}: the run there has another plan: leave the selection and "
                "--threads out, or start a new run"
            )
        _check_limits(chosen, record.settings.engine)
        limits = {name: chosen[name] for name in ("rounds", "target", "budget", "timeout") if chosen[name]}
        if {"target", "budget"} & limits.keys():
            limits.setdefault("rounds", None)
        record.settings = replace(record.settings, **limits)
        record.environment = here
        yield writer


def _load_again(ctx: click.Context, chosen: dict[str, Any], recorded: Sequence[Loaded]) -> None:
    """Load what the run had, unless it is named; `NotComparableError` where that is not the same any more."""
    from actbench import plugins
    from actbench.errors import NotComparableError

    if not chosen["load"]:
        load_for(ctx, [each.name for each in recorded])
    there = {each.sha256: each.name for each in recorded}
    here = {each.sha256: each.name for each in plugins.loaded()}
    if other := [name for digest, name in here.items() if digest not in there]:
        raise NotComparableError(
            f"--resume {chosen['resume']}: {other[0]} is not the code that the run there had: undo what was changed in "
            "it, or start a new run"
        )
    if missing := [name for digest, name in there.items() if digest not in here]:
        raise NotComparableError(
            f"--resume {chosen['resume']}: the run there had loaded {missing[0]} as well: name it too (--load)"
        )


def _check_limits(chosen: dict[str, Any], engine: str) -> None:
    if engine == "pyperf" and (chosen["target"] or chosen["budget"]):
        raise click.UsageError(
            "--target and --budget do not apply to stock pyperf (--engine pyperf): use --rounds, its processes"
        )


def _planned(chosen: dict[str, Any], seed: int) -> tuple[Plan, Preset]:
    from actbench.host.environment import memory
    from actbench.planning import presets, suite

    preset = presets.get(chosen["preset"])
    plan = suite.plan(
        axes(preset.axes, chosen),
        pattern=chosen["pattern"],
        seed=seed,
        memory=memory(),
        max_call=chosen["max_call"] or suite.MAX_CALL,
    )
    return plan, preset


def _seed(chosen: dict[str, Any]) -> int:
    return int(secrets.randbits(32) if chosen["seed"] is None else chosen["seed"])


def _min_rounds(chosen: dict[str, Any]) -> int:
    """Return the rounds to measure even beyond the budget: one where the user set it, else enough for intervals."""
    from actbench.analysis.statistics import MIN_ROUNDS

    return 1 if chosen["budget"] else MIN_ROUNDS


def _print_plan(chosen: dict[str, Any]) -> None:
    from actbench.host import environment
    from actbench.report.numbers import counted
    from actbench.report.summary import left_out_lines

    environment.choose_cpu(chosen["affinity"])
    environment.choose_threads(chosen["threads"])
    if chosen["resume"] is not None:
        raise click.UsageError("--dry-run shows a new run: leave --resume out")
    _check_limits(chosen, chosen["engine"] or "")
    plan, preset = _planned(chosen, _seed(chosen))
    for case in plan.cases:
        click.echo(case.id)
    click.echo("")
    for line in left_out_lines(plan.left_out):
        click.echo(line)
    cases, blocks = counted(len(plan.cases), "case"), counted(len(plan.blocks), "block")
    click.echo(f"{cases} in {blocks}; {_prediction(chosen, plan, preset)}")


def _prediction(chosen: dict[str, Any], plan: Plan, preset: Preset) -> str:
    """Say how long the run would take, by rough upper figures."""
    from actbench.analysis.statistics import MIN_ROUNDS
    from actbench.measure.stock import PROCESS_SECONDS, PROCESSES
    from actbench.planning.costs import arm_seconds, predicted_round
    from actbench.report.numbers import duration

    if chosen["engine"] == "pyperf":
        processes = chosen["rounds"] or PROCESSES
        seconds = processes * PROCESS_SECONDS * sum(len(block.timed) for block in plan.blocks)
        return f"{processes} processes a case and yardstick: about {duration(seconds)}"
    each = predicted_round(plan, arm_seconds(plan, preset.arm_seconds))
    if chosen["rounds"]:
        total, budget = chosen["rounds"] * each, chosen["budget"] or float("inf")
        how_long = duration(total) if total <= budget else f"as many as fit into {duration(budget)}"
        return f"about {duration(each)} a round, {chosen['rounds']} rounds: {how_long}"
    fewest = _min_rounds(chosen)
    most = max(chosen["budget"] or preset.budget, fewest * each)
    plural = "round" if fewest == 1 else "rounds"
    span = dict.fromkeys((duration(fewest * each), duration(most)))
    said = f"about {duration(each)} a round, {fewest} {plural} or more: {' to '.join(span)}"
    if most < MIN_ROUNDS * each:
        said += f"; an interval takes {MIN_ROUNDS} rounds, {duration(MIN_ROUNDS * each)}"
    return said


def _warn_of_few_rounds(plan: Plan, preset: Preset, budget: float) -> None:
    """Say beforehand that the budget is hardly enough for intervals."""
    from actbench.analysis.statistics import MIN_ROUNDS
    from actbench.planning.costs import arm_seconds, predicted_round
    from actbench.report.numbers import duration

    needed = MIN_ROUNDS * predicted_round(plan, arm_seconds(plan, preset.arm_seconds))
    if needed > budget:
        click.echo(
            f"--budget {duration(budget)} may be too short: an interval takes {MIN_ROUNDS} rounds, {duration(needed)} "
            "or so (--dry-run); until then no answer is given",
            err=True,
        )


def _publish_round(event: object, writer: Writer) -> None:
    from actbench.model.events import RoundDone

    if isinstance(event, RoundDone):
        _publish(writer)


def _publish(writer: Writer) -> Summary:
    from actbench.report.publish import publish

    return publish(writer.directory, writer.record, writer.times)


def _fail_for(record: Record) -> None:
    """Leave with the exit code for failed benchmarks, if any."""
    from actbench.errors import BenchmarkError

    if record.failures:
        names = ", ".join(dict.fromkeys(failure.block for failure in record.failures))
        raise BenchmarkError(f"failed: {names} (see above); the rest is complete")
