"""Comparability of a run and its baseline, and the differences between their hosts."""

from __future__ import annotations

from pathlib import Path

from actbench.errors import InputError, NotComparableError, printable
from actbench.host.environment import Environment, collect
from actbench.model.cases import Case
from actbench.model.loaded import changes_of_code
from actbench.model.sides import Side
from actbench.runs.archive import Run, load
from actbench.runs.names import RUN
from actbench.runs.record import Record

HOST = ("cpu_model", "architecture", "logical_cpus", "physical_cpus", "caches")
"""The fields of an environment that identify a host; its software may differ, since a check often compares that."""

SOFTWARE = ("kernel", "libc", "python", "actbench")


def load_both(baseline: Path, run: Path) -> tuple[Run, Run]:
    """Read a baseline and the run that is checked against it, from one host and engine.

    `InputError` where `run` is not a run, or both are the same. `NotComparableError` where there is no baseline, or it
    is from another host or engine, or has no case in common with the run.
    """
    after = load(run)
    try:
        before = load(baseline)
    except InputError as error:
        raise NotComparableError(printable(f"--baseline: {error}")) from None
    if differing := host_differences(before, after):
        name, there, here = differing[0]
        raise NotComparableError(
            f"{baseline} is from another host than {run} ({name}: {there} there, {here} in {run}): measure both on one "
            "host"
        )
    refuse_unlike(before, after)
    return before, after


def refuse_unlike(before: Run, after: Run) -> None:
    """Raise `NotComparableError` unless both have a record, and share engine, inputs and a case.

    Training steps must share the optimizer and the number of threads, too, which their products have; and so must
    cases the number that their backend has. `InputError` where both paths lead to the same run.
    """
    if _file(before).samefile(_file(after)):
        names = " and ".join(dict.fromkeys(str(run.path) for run in (before, after)))
        raise InputError(f"both are the same run, {names}: name another one to compare with")
    old, new = _record(before), _record(after)
    if old.settings.engine != new.settings.engine:
        raise NotComparableError(
            f"{before.path} was measured by engine {old.settings.engine}, {after.path} by {new.settings.engine}: "
            "measure both by the same"
        )
    if before.plan.inputs != after.plan.inputs:
        raise NotComparableError(
            f"{before.path} was measured on inputs from {before.plan.inputs}, {after.path} from "
            f"{after.plan.inputs}: measure both on the same"
        )
    optimizers = [run.plan.training.optimizer for run in (before, after) if run.plan.training]
    if len({*optimizers}) > 1:
        there, here = optimizers
        raise NotComparableError(
            f"the steps of {before.path} update by {there}, those of {after.path} by {here}: measure both with the same"
        )
    if optimizers and old.settings.threads != new.settings.threads:
        raise NotComparableError(
            f"the steps of {before.path} have --threads {old.settings.threads}, those of {after.path} "
            f"{new.settings.threads}: measure both with the same"
        )
    if not _cases(before) & _cases(after):
        raise NotComparableError(
            f"{before.path} and {after.path} have no measured case in common: measure the same selection"
        )
    for name in sorted({case.backend for case in _cases(before) & _cases(after)}):
        first, second = (run.threads_of(name) for run in (before, after))
        if first != second:
            raise NotComparableError(
                f"{name} has --threads {first} in {before.path}, {second} in {after.path}: measure both with the same"
            )


def identity(environment: Environment) -> tuple[tuple[str, str], ...]:
    """Return what identifies a host: names and values."""
    return tuple((name, str(getattr(environment, name))) for name in HOST)


def host_differences(before: Run, after: Run) -> list[tuple[str, str, str]]:
    """Return the differing fields of two hosts: name, value before, value after; empty for one host."""
    return _between_hosts(_record(before).environment, _record(after).environment)


def refuse_other_host(run: Run, named: str) -> None:
    """Raise `NotComparableError` for a run that was not made on this host; `named` begins its sentence."""
    recorded = _record(run).environment
    if differing := _between_hosts(recorded, collect(recorded.affinity)):
        name, there, here = differing[0]
        raise NotComparableError(
            f"{named}: the run is from another host ({name}: {there} there, {here} here): name one of this host"
        )


def _between_hosts(old: Environment, new: Environment) -> list[tuple[str, str, str]]:
    facts = [(name.replace("_", " "), getattr(old, name), getattr(new, name)) for name in HOST]
    shared = old.devices.keys() & new.devices.keys()
    facts += [(f"device of {name}", old.devices[name], new.devices[name]) for name in sorted(shared)]
    return [(name, _shown(there), _shown(here)) for name, there, here in facts if there != here]


def differences(before: Run, after: Run) -> list[str]:
    """Return a sentence for each software version, tuning variable and loaded code that differs.

    The first sentence is that one run is a copy of the other, where it is: their measurements are the same ones.
    """
    copied = _record(before).id == _record(after).id
    copy = [f"{after.path} is a copy of {before.path}, with the same measurements"] if copied else []
    software = changes_of_software(_record(before).environment, _record(after).environment)
    code = changes_of_code(_record(before).loaded, _record(after).loaded)
    loaded = [f"loaded code {name}: was {there}, is {here}" for name, there, here in code]
    return [printable(one) for one in (*copy, *software, *loaded)]


def side_of(run: Run) -> Side:
    """Return what a run measured, as the side of a check."""
    record = _record(run)
    environment = record.environment
    versions = {"python": environment.python, "actbench": environment.actbench} | environment.libraries
    return Side(printable(str(run.path)), versions=versions, loaded=tuple(record.loaded))


def _file(run: Run) -> Path:
    """Return the file that identifies a run, with links to its directory resolved."""
    return run.path / RUN if run.path.is_dir() else run.path


def _cases(run: Run) -> set[Case]:
    return {case for block in run.times.blocks for case in block.cases}


def _record(run: Run) -> Record:
    if run.record is None:
        raise NotComparableError(f"{run.path} does not name its host: name the directory of the run")
    return run.record


def changes_of_software(before: Environment, after: Environment) -> list[str]:
    """Return a sentence for each software version and tuning variable that differs."""
    old, new = facts_of(before), facts_of(after)
    return [
        f"{name} was {old.get(name, 'absent')}, is {new.get(name, 'absent')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def facts_of(environment: Environment) -> dict[str, str]:
    """Return the software of an environment: versions and tuning variables, by name."""
    return {name: str(getattr(environment, name)) for name in SOFTWARE} | environment.libraries | environment.variables


def _shown(value: object) -> str:
    """Return a field of an environment in words; a mapping holds cache sizes."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {size / 1024:g} KiB" for name, size in value.items()) or "unknown"
    return str(value)
