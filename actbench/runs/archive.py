"""A run's directory: written while measuring, read for everything after.

The journal takes each finished block as it comes. After every round all files are written anew, as one, and the journal
is done with: `Writer` does that. Whatever reads a run reads it by `load`, which also cleans up after a killed process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from actbench.errors import InputError, damaged
from actbench.host import regular
from actbench.model.cases import Case
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.runs import files, journal, latest, record, values
from actbench.runs.names import JOURNAL, MEASUREMENTS, PROBES, REPORT, RUN, SUITE, TABLES, VALUES, WRITTEN
from actbench.runs.record import Record, Status

PATIENCE, PAUSE = 20, 0.05
"""How often to read again what another process is just writing, and the seconds between."""


@dataclass(slots=True)
class Run:
    """A run as read from disk."""

    path: Path
    plan: Plan
    times: Times
    record: Record | None
    """None for a suite without its run.json."""
    loops: Mapping[Case, int]
    """Calls in a value by case."""


def load(path: Path) -> Run:
    """Read a run: its directory, its pyperf.json, or ``latest``; `InputError` when that is not one."""
    if latest.is_meant(path):
        path = latest.complete()
    try:
        is_file = path.is_file()
    except OSError as error:
        raise _no_run(path, error) from None
    if is_file and path.name in {*WRITTEN, REPORT} - {SUITE} and (path.parent / RUN).exists():
        raise InputError(f"{path} is a file of a run: name the run's directory, {path.parent}")
    return _load_suite(path) if is_file else _load_directory(path)


def load_timed(path: Path) -> Run:
    """Read a run that was not refused before anything was timed; `InputError` when it was."""
    run = load(path)
    require_timed(run)
    return run


def require_timed(run: Run) -> None:
    """Raise `InputError` for a run that was refused before anything was timed."""
    if run.record is not None and run.record.status is Status.REFUSED:
        raise InputError(f"{run.path} was refused before anything was timed, for a wrong kernel: correct it, run again")


def read_record(directory: Path) -> Record:
    """Read the run.json of a directory; `InputError` when there is none, or it is damaged."""
    path = directory / RUN
    try:
        return record.decode(regular.read(path), path)
    except OSError as error:
        raise _no_run(directory, error) from None


def tidy(directory: Path) -> None:
    """Clean up what a killed process left; only for who holds the directory. `OSError` when the disk refuses."""
    files.recover(directory, MEASUREMENTS, TABLES)


def _load_suite(path: Path) -> Run:
    from actbench.runs import pyperf_suite  # what only reads directories need not wait for pyperf

    suite = pyperf_suite.read(path)
    alone = Run(path, suite.plan, suite.times, None, suite.loops)
    if path.name != SUITE or not (path.parent / RUN).exists():
        return alone
    run = load(path.parent)
    if run.record is None or (run.record.status is not Status.RUNNING and not _same(alone.times, run.times)):
        raise damaged(f"{path} is not of the run in {path.parent}: what was measured differs")
    return run


def _same(one: Times, other: Times) -> bool:
    """Say whether all values are the same, as far as values.csv has digits."""
    mine, theirs = ({(each.block.id, each.round): each.seconds for each in times.finished()} for times in (one, other))
    return mine.keys() == theirs.keys() and all(
        len(arm) == len(again) and all(abs(a - b) <= 1e-8 * b for a, b in zip(arm, again, strict=True))
        for key in mine
        for arm, again in zip(mine[key], theirs[key], strict=True)
    )


def _load_directory(directory: Path) -> Run:
    for _ in range(PATIENCE):
        try:
            return _settled(_read(directory))
        except InputError:
            if not _is_held(directory):
                raise
        time.sleep(PAUSE)  # another process writes, and was between two files
    return _settled(_read(directory))


def _read(directory: Path) -> Run:
    there = read_record(directory)
    times = Times(there.plan)
    for name, blocks in ((VALUES, there.plan.blocks), (PROBES, there.plan.probes)):
        if name == PROBES and not there.probed:
            continue
        try:
            data = regular.read(files.current(directory, name, RUN))
        except OSError as error:
            raise damaged(f"cannot read {directory / name}: {error.strerror}") from None
        for measured in values.from_csv(data, directory / name, blocks, there.calibrations, there.digests):
            times.put(measured.block, measured.rounds, measured.seconds, measured.processor)
    path = directory / JOURNAL
    try:
        data = regular.read(path)
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; remove it: rounds before it are in {VALUES}") from None
    for finished in journal.read(data, path, there):
        times.add(finished)
    calls = {
        case: there.calibrations[block.id].calls(arm) for block in times.blocks for arm, case in enumerate(block.timed)
    }
    return Run(directory, there.plan, times, there, calls)


def _settled(run: Run) -> Run:
    """Clean up after a killed process, and call its run interrupted; one that goes on is left alone."""
    of = run.record
    left = any(files.part(run.path / name).exists() for name in (*MEASUREMENTS, *TABLES))
    if of is None or (of.status is not Status.RUNNING and not left):
        return run
    with suppress(InputError, OSError), files.locked(run.path):
        if of.status is Status.RUNNING:
            of.status = Status.INTERRUPTED
        with suppress(OSError):  # a directory that cannot be written can be read
            tidy(run.path)
            there = read_record(run.path)
            if there.status is Status.RUNNING:
                there.status = Status.INTERRUPTED
                files.commit(run.path, {RUN: record.encode(there)})
    return run


def _is_held(directory: Path) -> bool:
    try:
        with files.locked(directory):
            return False
    except InputError:
        return True
    except OSError:
        return False


def _no_run(path: Path, error: OSError) -> InputError:
    why = error.strerror
    if isinstance(error, FileNotFoundError):
        why = f"there is no {RUN} in it" if path.is_dir() else why
    elif isinstance(error, NotADirectoryError) and path.exists():
        why = "it is no directory, and not a regular file"
    return InputError(f"{path} is not a run ({why}): name a directory with a run.json, a pyperf.json, or 'latest'")
