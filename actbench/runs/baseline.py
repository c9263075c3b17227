"""A run and its baseline: whether they may be compared, and what differs between them."""

from __future__ import annotations

from pathlib import Path

from actbench.errors import InputError, NotComparableError
from actbench.runs.archive import Run, load
from actbench.runs.environment import Environment
from actbench.runs.record import Record

HOST = ("cpu_model", "architecture", "logical_cpus", "physical_cpus", "caches")
"""What makes a host; the software on it may change, and is what one checks."""

SOFTWARE = ("kernel", "libc", "python", "actbench")


def load_both(baseline: Path, run: Path) -> tuple[Run, Run]:
    """Read a baseline and the run to be checked against it, of one host and engine.

    `InputError` when `run` is not one; `NotComparableError` when there is no baseline, or it is of another host or
    engine, or has no case in common with the run.
    """
    after = load(run)
    try:
        before = load(baseline)
    except InputError as error:
        raise NotComparableError(f"--baseline: {error}") from None
    old, new = _record(before), _record(after)
    if old.settings.engine != new.settings.engine:
        raise NotComparableError(
            f"{baseline} was measured by engine {old.settings.engine}, {run} by {new.settings.engine}: "
            "measure both by the same"
        )
    for name in HOST:
        there, here = getattr(old.environment, name), getattr(new.environment, name)
        if there != here:
            raise NotComparableError(
                f"{baseline} is of another host: its {name.replace('_', ' ')} is {there}, that of {run} is {here}; "
                "make a baseline on this host"
            )
    if not {case for block in before.times.blocks for case in block.cases} & {
        case for block in after.times.blocks for case in block.cases
    }:
        raise NotComparableError(f"{baseline} and {run} have no measured case in common: measure the same selection")
    return before, after


def differences(before: Run, after: Run) -> list[str]:
    """Say what else than the code may have changed: software versions and tuning variables, one a line."""
    old, new = (_facts(_record(run).environment) for run in (before, after))
    return [
        f"{name} was {old.get(name, 'not there')}, is {new.get(name, 'not there')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _record(run: Run) -> Record:
    if run.record is None:
        raise NotComparableError(f"{run.path} does not tell its host: name the directory of the run")
    return run.record


def _facts(environment: Environment) -> dict[str, str]:
    return {name: str(getattr(environment, name)) for name in SOFTWARE} | environment.libraries | environment.variables
