"""``actbench fleet``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.measuring import limits
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
from actbench.cli.step_options import selecting_steps, threads_of_steps
from actbench.errors import OptionsError

if TYPE_CHECKING:
    from actbench.engine.requests import RunRequest
    from actbench.runs.plan_file import PlanFile

LIMITS = ("rounds", "target", "budget", "timeout")
"""Options that a fleet which goes on takes, too."""


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


def on_a_cluster(command: Command) -> Command:
    """Add the options that name a cluster and a directory."""
    options = (
        click.option("--scheduler", required=True, metavar="ADDRESS", help="The Dask scheduler, tcp://10.0.0.1:8786."),
        click.option("--kinds", is_flag=True, help="Measure on one host of each kind. [default: on every host]"),
        click.option(
            "--allow-different", is_flag=True, help="Take hosts of other versions of Python, actbench or libraries."
        ),
        click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Directory of the runs."),
        click.option(
            "--resume",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Go on with the fleet in DIR; blocks that failed are tried again.",
        ),
        quiet,
    )
    for option in reversed(options):
        command = option(command)
    return command


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
def run(ctx: click.Context, /, **options: Any) -> None:
    """Measure the same plan on every host of a Dask cluster, one run a host under DIR.

    A host is an address, however many workers it has; one measurement runs on it at a time. Nothing is installed. What
    a host has finished is written at once, so that a host, a scheduler or a client that is lost costs one block;
    --resume goes on with what is missing, on another host of the kind too. Runs are named by kind and number.

    A file of --load is sent to the hosts, which refuse any other, and kept in DIR; a package must be installed there.

    Exit codes: 4 a host was lost or failed, 5 a host was left out for its versions; the others are complete.

    \b
    Examples:
      actbench fleet run -a logistic --scheduler tcp://10.0.0.1:8786 -o results/fleet
      actbench fleet run --load activations.py -a symlog --scheduler tcp://10.0.0.1:8786 -o results/symlog
      actbench fleet run --resume results/fleet --scheduler tcp://10.0.0.1:8786
    """
    from actbench.engine.preparing import prepare
    from actbench.engine.requests import PLANNING, RunRequest

    named = on_command_line(ctx)

    def plan(selected: dict[str, Any]) -> PlanFile:
        return prepare(RunRequest(**selected, engine=None, affinity=None, named=named)).file()

    _measure(options, named & (PLANNING | {"threads"}), plan)


@command.command("train")
@selecting_steps
@limits("0.7", "110s")
@seed
@threads_of_steps
@timeout
@on_a_cluster
@click.pass_context
@usage_shown()
def train(ctx: click.Context, /, **options: Any) -> None:
    """Measure the same training steps on every host of a Dask cluster, one run a host under DIR.

    NETWORK and what selects are those of 'actbench train', all else is as in 'actbench fleet run'.

    \b
    Examples:
      actbench fleet train --scheduler tcp://10.0.0.1:8786 -o results/steps
      actbench fleet train ffn:256-1024 -a gelu -b torch --scheduler tcp://10.0.0.1:8786 -o results/gelu
      actbench fleet train --resume results/steps --scheduler tcp://10.0.0.1:8786
    """
    from actbench.engine.requests import TrainRequest
    from actbench.engine.training import SELECTING, prepare

    named = on_command_line(ctx)

    def plan(selected: dict[str, Any]) -> PlanFile:
        return prepare(TrainRequest(**selected, affinity=None, named=named)).file()

    _measure(options, named & SELECTING.keys(), plan)


def _measure(options: dict[str, Any], selecting: frozenset[str], plan: Callable[[dict[str, Any]], PlanFile]) -> None:
    """Measure a new fleet, whose plan is made of the options that are left here, or go on with one."""
    from actbench.api import dask_cluster, fleet, sent_code
    from actbench.engine.planned_elsewhere import refuse_selection

    scheduler, kinds, allow_different, output, resume, silent = (
        options.pop(name) for name in ("scheduler", "kinds", "allow_different", "output", "resume", "quiet")
    )
    dask_cluster.refuse_no_address(scheduler)
    if (output is None) == (resume is None):
        raise OptionsError("name the directory of a new fleet with -o, or that of one to go on with with --resume")
    if resume is not None:
        refuse_selection(selecting, f"--resume {resume}")
        directory, planned = resume, fleet.planned_in(resume)
        code = sent_code.kept(resume, planned.loaded)
    else:
        fleet.refuse_existing(output)
        directory, planned, code = output, plan(options), sent_code.loaded_here()
    end_as_by_ctrl_c()
    tell = (lambda _: None) if silent else (lambda text: click.echo(text, err=True))
    new = resume is None
    hosts = fleet.Fleet(directory, planned, _on_hosts(options), tell, allow_different, kinds, new, code=code)
    try:
        hosts.run(scheduler)
    except KeyboardInterrupt:
        more = f"actbench fleet {planned.plan.command} --resume {directory} --scheduler {scheduler} goes on"
        click.echo(f"interrupted: what is finished is kept; {more}", err=True)
        raise
    click.echo(f"written to {directory}; actbench compare --by host {directory} compares the hosts", err=True)


def _on_hosts(options: dict[str, Any]) -> RunRequest:
    """Return what hosts are sent beside the plan: the limits."""
    from actbench.engine.requests import RunRequest
    from actbench.planning.selection import Selection

    return RunRequest(
        **{name: options[name] for name in LIMITS},
        preset=options.get("preset", "default"),
        selection=Selection(),
        seed=None,
        inputs=options.get("inputs"),
        engine=None,
        affinity=None,
        threads=None,
        max_call=None,
        named=frozenset(),
    )
