"""``actbench fleet``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.formats import TEXTS, format_option
from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.measuring import Mode, dry_run, limits, mode_taken, print_plan
from actbench.cli.options import (
    Command,
    inputs,
    max_call,
    on_command_line,
    quiet,
    seed,
    selection,
    threads,
    timeout,
    usage_shown,
)
from actbench.cli.sentences import say
from actbench.cli.step_options import selecting_steps, threads_of_steps
from actbench.cli.values import PathName
from actbench.errors import OptionsError

if TYPE_CHECKING:
    from actbench.api.fleet_files import FleetFiles
    from actbench.api.running import Planned
    from actbench.engine.requests import RunRequest, TrainRequest
    from actbench.model.inputs import Inputs


@click.group()
def command() -> None:
    """Measure one plan on many hosts, by Dask.

    It needs dask and distributed (python -m pip install 'actbench-derivatives[fleet]'), a scheduler, and a worker on
    every host. Who can reach a scheduler can run code on all of its hosts: see the guide on many hosts.

    \b
    Examples:
      actbench fleet run --scheduler tcp://10.0.0.1:8786 -o results/fleet
      actbench fleet train --scheduler tcp://10.0.0.1:8786 -o results/steps
      actbench fleet run --resume results/fleet --scheduler tcp://10.0.0.1:8786
      actbench compare --by host results/fleet
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMode(Mode):
    """The options of either command that say where a plan is measured, and whether."""

    scheduler: str | None
    kinds: bool
    """Whether one host of each kind is enough."""
    allow_different: bool
    """Whether hosts may have other versions."""
    form: str


def on_a_cluster(command: Command) -> Command:
    """Add the options that name a cluster and a directory; the command takes them as its parameter `mode`."""
    options = (
        click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler, tcp://10.0.0.1:8786."),
        click.option("--kinds", is_flag=True, help="Measure on one host of each kind. [default: on every host]"),
        click.option(
            "--allow-different", is_flag=True, help="Take hosts of other versions of Python, actbench or libraries."
        ),
        click.option("-o", "--output", type=PathName(), metavar="DIR", help="Directory of the runs."),
        click.option(
            "--resume",
            type=PathName(),
            metavar="DIR",
            help="Go on with the fleet in DIR; blocks that failed are tried again.",
        ),
        dry_run,
        format_option(TEXTS, "; json, of a --dry-run, is the plan"),
        quiet,
    )
    with_options = mode_taken(FleetMode)(command)
    for option in reversed(options):
        with_options = option(with_options)
    return with_options


@command.command("run")
@selection("default")
@limits("2", "the preset's")
@seed
@inputs
@threads
@timeout
@max_call
@on_a_cluster
@click.pass_context
@usage_shown()
def run(ctx: click.Context, /, *, mode: FleetMode, **options: Any) -> None:
    """Measure the same plan on every host of a Dask cluster, one run a host under DIR.

    A host is an address, however many workers it has; one measurement runs on it at a time. Nothing is installed. What
    a host has finished is written at once, so that a host, a scheduler or a client that is lost costs one block;
    --resume goes on with what is missing, on another host of the kind too, with the same limits and --allow-different.
    Runs are named by kind and number.

    Files of --load and --inputs are sent to the hosts with their digests, and kept in DIR; a package must be installed
    there. A host that lacks an optional backend leaves its cases out, which is reported. --dry-run needs no scheduler.

    Exit codes: 4 a host was lost or failed, 5 a host was left out for its versions; the others are complete.

    \b
    Examples:
      actbench fleet run -a logistic --dry-run
      actbench fleet run -a logistic --scheduler tcp://10.0.0.1:8786 -o results/fleet
      actbench fleet run --load activations.py -a symlog --scheduler tcp://10.0.0.1:8786 -o results/symlog
      actbench fleet run --inputs z.npy -a tanh --scheduler tcp://10.0.0.1:8786 -o results/ours
      actbench fleet run --resume results/fleet --scheduler tcp://10.0.0.1:8786
    """
    from actbench.engine.preparing import prepare
    from actbench.engine.requests import PLANNING, RunRequest

    request = RunRequest(**options, named=on_command_line(ctx))
    selecting = request.named & (PLANNING | {"threads"})
    _carry_out(mode, request, lambda: prepare(request, elsewhere=True), selecting, request.inputs)


@command.command("train")
@selecting_steps
@limits("0.7", "110s")
@seed
@threads_of_steps
@timeout
@on_a_cluster
@click.pass_context
@usage_shown()
def train(ctx: click.Context, /, *, mode: FleetMode, **options: Any) -> None:
    """Measure the same training steps on every host of a Dask cluster, one run a host under DIR.

    NETWORK and what selects are those of 'actbench train', all else is as in 'actbench fleet run'.

    \b
    Examples:
      actbench fleet train --dry-run
      actbench fleet train --scheduler tcp://10.0.0.1:8786 -o results/steps
      actbench fleet train ffn:256-1024 -a gelu -b torch --scheduler tcp://10.0.0.1:8786 -o results/gelu
      actbench fleet train --resume results/steps --scheduler tcp://10.0.0.1:8786
    """
    from actbench.engine.requests import TrainRequest
    from actbench.engine.training import SELECTING, prepare

    request = TrainRequest(**options, named=on_command_line(ctx))
    _carry_out(
        mode,
        request,
        lambda: prepare(request, elsewhere=True),
        request.named & SELECTING.keys(),
        request.selection.inputs,
    )


def _carry_out(
    mode: FleetMode,
    request: RunRequest | TrainRequest,
    prepare: Callable[[], Planned],
    selecting: frozenset[str],
    inputs: Inputs | None,
) -> None:
    """Measure a new fleet, go on with one, or print what a new one would measure.

    `selecting` are the options on the command line that decide what is measured.
    """
    from actbench.api import dask_cluster, fleet_files
    from actbench.api.fleet_files import FleetFiles
    from actbench.engine.planned_elsewhere import refuse_selection

    if mode.scheduler is not None:
        dask_cluster.refuse_no_address(mode.scheduler)
    if mode.form == "json" and not mode.dry_run:
        raise OptionsError("--format json is the plan of a --dry-run: add --dry-run")
    if mode.dry_run:
        _print_plan(mode, prepare())
        return
    if mode.scheduler is None:
        raise OptionsError("name the Dask scheduler with --scheduler, tcp://HOST:PORT")
    if mode.output is not None and mode.resume is None:
        fleet_files.refuse_existing(mode.output)
        _measure(mode.output, FleetFiles.of(prepare().file()), request, mode.scheduler, mode)
    elif mode.resume is not None and mode.output is None:
        refuse_selection(selecting, f"--resume {mode.resume}")
        kept = FleetFiles.kept(mode.resume, inputs if "inputs" in request.named else None)
        _measure(mode.resume, kept, request, mode.scheduler, mode)
    else:
        raise OptionsError("name the directory of a new fleet with -o, or with --resume that of one to go on with")


def _print_plan(mode: FleetMode, prepared: Planned) -> None:
    """Print what a new fleet would measure, unless a file that it needs cannot be sent."""
    from actbench.api.fleet_files import FleetFiles

    if mode.resume is not None:
        raise OptionsError("--dry-run shows a new fleet: leave --resume out")
    FleetFiles.of(prepared.file())
    print_plan(prepared, mode.form)
    if mode.form == "text":
        hosts = "one host of each kind" if mode.kinds else "every host"
        click.echo(f"on {hosts} of the cluster, all at the same time; times are those of a host like this one")


def _measure(
    directory: Path, files: FleetFiles, request: RunRequest | TrainRequest, scheduler: str, mode: FleetMode
) -> None:
    """Measure a fleet until all hosts have ended."""
    from actbench.api import fleet_files, fleet_limits
    from actbench.api.fleet import Fleet
    from actbench.engine.requests import RunRequest, limits_of
    from actbench.model import shell

    end_as_by_ctrl_c()
    hosts = Fleet(
        directory,
        files,
        RunRequest(**limits_of(request)) if mode.resume is None else fleet_limits.kept(directory, request),
        mode.tell,
        allow_different=mode.allow_different or (mode.resume is not None and fleet_limits.allows_different(directory)),
        kinds=mode.kinds,
        new=mode.resume is None,
    )
    try:
        hosts.run(scheduler)
    except KeyboardInterrupt:
        is_kept = fleet_files.is_fleet(directory)
        way_on = f"what is finished is kept; {hosts.resuming(scheduler)} goes on"
        say(f"interrupted: {way_on if is_kept else 'nothing was measured yet'}")
        raise
    comparing = shell.command("actbench", "compare", "--by", "host", directory)
    say(f"written to {directory}; {comparing} compares the hosts")
