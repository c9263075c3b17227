"""``actbench fleet``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actbench.cli.interrupts import end_as_by_ctrl_c
from actbench.cli.measuring import limits
from actbench.cli.options import inputs, max_call, on_command_line, quiet, seed, selection, timeout, usage_shown
from actbench.errors import OptionsError


@click.group()
def command() -> None:
    """Measure one plan on many hosts, by Dask.

    It needs dask and distributed (python -m pip install 'actbench-derivatives[fleet]'), a scheduler, and a worker on
    every host. Who can reach a scheduler can run code on all of its hosts: see the guide on many hosts.

    \b
    Examples:
      actbench fleet run --scheduler tcp://10.0.0.1:8786 -o results/fleet
      actbench fleet run --resume results/fleet --scheduler tcp://10.0.0.1:8786
      actbench compare --by host results/fleet
    """


@command.command("run")
@selection("default")
@limits("2", "the preset's")
@seed
@inputs
@timeout
@max_call
@click.option("--scheduler", required=True, metavar="ADDRESS", help="The Dask scheduler, e.g. tcp://10.0.0.1:8786.")
@click.option("--kinds", is_flag=True, help="Measure on one host of each kind. [default: on every host]")
@click.option("--allow-different", is_flag=True, help="Take hosts of other versions of Python, actbench or libraries.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Directory of the runs.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="DIR", help="Go on with the fleet in DIR.")
@quiet
@click.pass_context
@usage_shown()
def run(  # noqa: PLR0913  # one for each option
    ctx: click.Context,
    /,
    *,
    scheduler: str,
    kinds: bool,
    allow_different: bool,
    output: Path | None,
    resume: Path | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Measure the same plan on every host of a Dask cluster, one run a host under DIR.

    A host is an address, however many workers it has; one measurement runs on it at a time. Nothing is installed. What
    a host has finished is written at once, so that a host, a scheduler or a client that is lost costs one block;
    --resume goes on with what is missing, on another host of the kind too. Runs are named by kind and number.

    Exit codes: 4 a host was lost or failed, 5 a host was left out for its versions; the others are complete.

    \b
    Examples:
      actbench fleet run -a logistic --scheduler tcp://10.0.0.1:8786 -o results/fleet
      actbench fleet run --resume results/fleet --scheduler tcp://10.0.0.1:8786
    """
    from actbench import plugins
    from actbench.api import fleet
    from actbench.engine.planned_elsewhere import refuse_selection
    from actbench.engine.preparing import prepare
    from actbench.engine.requests import PLANNING, RunRequest

    if (output is None) == (resume is None):
        raise OptionsError("name the directory of a new fleet with -o, or that of one to go on with with --resume")
    if plugins.loaded():
        raise OptionsError("--load: code of your own is not sent to hosts; use shards there (actbench run --plan)")
    named = on_command_line(ctx)
    request = RunRequest(**options, engine=None, affinity=None, threads=None, named=named)
    if resume is not None:
        refuse_selection(named & PLANNING)
        directory, plan = resume, fleet.planned_in(resume)
    else:
        assert output is not None  # noqa: S101  # one of both is named
        directory, plan = output, prepare(request).file()
        fleet.refuse_existing(output)
    end_as_by_ctrl_c()
    on_hosts = RunRequest(
        **{name: options[name] for name in ("rounds", "target", "budget", "timeout", "inputs", "preset", "selection")},
        seed=None,
        engine=None,
        affinity=None,
        threads=None,
        max_call=None,
        named=frozenset(),
    )
    tell = (lambda _: None) if quiet else (lambda text: click.echo(text, err=True))
    try:
        fleet.Fleet(directory, plan, on_hosts, tell, allow_different, kinds, resume is None).run(scheduler)
    except KeyboardInterrupt:
        more = f"actbench fleet run --resume {directory} --scheduler {scheduler} goes on"
        click.echo(f"interrupted: what is finished is kept; {more}", err=True)
        raise
    click.echo(f"written to {directory}; actbench compare --by host {directory} compares the hosts", err=True)
