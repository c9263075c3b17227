"""``actbench selfcheck``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.parameters import DEFAULT_TIMEOUT, Duration, Percent, axes, processors, selection, timeout
from actbench.errors import ExitCode

if TYPE_CHECKING:
    from actbench.measure.selfcheck import SelfCheck

BURDEN = 2.0
"""The slowdown that is put in, in margins."""


@click.command()
@selection("check")
@click.option("--margin", type=Percent(), default="5", show_default=True, metavar="PCT", help="What may get slower.")
@click.option("--budget", type=Duration(), default="5m", show_default=True, help="Time the audit may take.")
@click.option("--check-budget", type=Duration(), help="Time of the checks it is about. [default: the preset's]")
@click.option("--seed", type=click.IntRange(min=0, max=2**63), help="Seed of inputs and order. [default: random]")
@processors
@timeout
@click.option("--store", type=click.Path(path_type=Path), metavar="RUN", help="Keep it as selfcheck.json with a run.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def command(ctx: click.Context, /, form: str, **chosen: Any) -> None:
    """Audit this host: what 'actbench check --against' is worth here.

    Measures this environment against itself, as a check does, and against itself with a slowdown put in. Prints how
    often checks of their usual length would cry wolf, the smallest slowdown that they see 95 % of the time, what makes
    times scatter, and what can be done about it. Ends with 3 where --budget is too short for one check.

    \b
    Examples:
      actbench selfcheck
      actbench selfcheck --budget 20m --margin 2
      actbench selfcheck -b numpy -n 1k,100k --format json
    """
    from actbench.host import noise
    from actbench.measure.session import Seams
    from actbench.report import audit as report
    from actbench.report.terminal import show_table

    seams: Seams = ctx.obj or Seams()
    target = _stored_in(chosen["store"])
    check = _prepared(chosen, seams)
    before = noise.stolen_seconds()
    end_as_by_ctrl_c()
    interrupted = _measure(check, quiet=chosen["quiet"])
    found = check.audit()
    said = report.advice(list(noise.host_properties()), noise.stolen_share(before))
    if form == "json" or target is not None:
        text = report.as_json(found, check.check_budget, said)
    if target is not None:
        _store(target, text)
    if form == "json":
        click.echo(text)
    else:
        click.echo("\n".join(report.lines(found, check.check_budget, check.needed)))
        if found.checks:
            show_table(report.table(found))
        click.echo("\n".join(["", "What makes timings scatter here, and what to do:", *said]))
    if interrupted:
        raise KeyboardInterrupt
    if not found.checks:
        ctx.exit(ExitCode.INCONCLUSIVE)  # there was no time for one check


def _prepared(chosen: dict[str, Any], seams: Any) -> SelfCheck:
    import secrets

    from actbench.analysis.check_live import LiveTimes
    from actbench.host import environment
    from actbench.measure.launch import Launch, WorkerOptions
    from actbench.measure.lockstep import Lockstep
    from actbench.measure.selfcheck import SelfCheck
    from actbench.planning import costs, presets, suite

    preset = presets.get(chosen["preset"])
    seed = secrets.randbits(32) if chosen["seed"] is None else chosen["seed"]
    plan = suite.plan(axes(preset.axes, chosen), pattern=chosen["pattern"], seed=seed, memory=environment.memory() // 3)
    timeout = chosen["timeout"] or DEFAULT_TIMEOUT
    every = environment.choose_threads(chosen["threads"])
    threads = every if suite.threaded(plan) else 1
    options = WorkerOptions(environment.choose_cpu(chosen["affinity"]), timeout, threads=threads)
    launch = Launch(seams.start_worker, options)
    lockstep = Lockstep(
        plan=plan,
        launches=(launch, launch, launch),
        arm_seconds=costs.arm_seconds(plan, preset.arm_seconds),
        sides=LiveTimes(plan),
        burden=BURDEN * chosen["margin"],
        clock=seams.clock,
    )
    return SelfCheck(
        lockstep=lockstep,
        margin=chosen["margin"],
        budget=chosen["budget"],
        check_budget=chosen["check_budget"] or preset.budget,
        started=seams.clock(),
        clock=seams.clock,
    )


def _measure(check: SelfCheck, *, quiet: bool) -> bool:
    """Measure; return whether Ctrl-C came before the end, but after a round."""
    from actbench.report.progress import Progress

    try:
        with Progress(quiet=quiet) as progress:
            for event in check.events():
                progress.show(event)
    except KeyboardInterrupt:
        if not check.rounds:
            raise
        click.echo("interrupted: this is what the rounds so far say", err=True)
        return True
    return False


def _stored_in(store: Path | None) -> Path | None:
    """Return the file that the audit goes to, found before measuring: with a run of this host."""
    from actbench.errors import InputError
    from actbench.runs import archive

    if store is None:
        return None
    directory = archive.load(store).path
    if directory.is_file():
        raise InputError(f"--store {store}: name the directory of a run")
    return directory / "selfcheck.json"


def _store(target: Path, text: str) -> None:
    from actbench.runs import files

    files.write(target, text + "\n")
    click.echo(f"written to {target}", err=True)
