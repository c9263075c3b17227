"""Reading a run from its directory or its pyperf.json.

While measuring, the journal receives the finished blocks. After every round, `Writer` rewrites what changed as one and
removes the journal. `load` reads both, and cleans up after a killed process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actbench.errors import InputError, damaged, printable
from actbench.host import regular
from actbench.model.cases import Case
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.runs import files, journal, latest, record, values
from actbench.runs.names import DERIVED, JOURNAL, MEASUREMENTS, PROBES, REPORT, RUN, SUITE, VALUES, WRITTEN
from actbench.runs.record import Record, Status

ATTEMPTS, PAUSE = 20, 0.05
"""Number of attempts to read a directory while another process writes to it, and the seconds between them."""


@dataclass(slots=True)
class Run:
    """A run as read from disk."""

    path: Path
    plan: Plan
    times: Times
    record: Record | None
    """None for a suite without its run.json."""
    loops: Mapping[Case, int]
    """Calls per value, by case."""

    def threads_of(self, backend: str) -> int:
        """Return the number of threads that execute a call of a backend; 1 where that was not recorded.

        A backend of several threads is held against a copy by as many, and one on a device against a copy there.
        """
        if self.record is None:
            return 1
        on_device = backend in self.record.environment.devices
        has_copy = any(backend in block.copies for block in self.plan.blocks)
        return self.record.settings.threads if self.plan.training or (has_copy and not on_device) else 1


def load(path: Path) -> Run:
    """Read a run from its directory, its pyperf.json, or ``latest``; `InputError` where there is none."""
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
    """Read a run whose times count; `InputError` where it was refused."""
    run = load(path)
    require_timed(run)
    return run


def require_timed(run: Run) -> None:
    """Raise `InputError` for a run that was refused, whatever was timed before."""
    if run.record is not None and run.record.status is Status.REFUSED:
        raise InputError(f"{run.path} was refused, for a wrong kernel or none that works here: correct it, run again")


def labels(runs: Sequence[Run]) -> list[str]:
    """Return the labels of runs: their directories' names, printable, with more of the paths where names are equal."""
    parts = [run.path.resolve().parts for run in runs]
    length = next(
        (length for length in range(1, max(map(len, parts))) if len({one[-length:] for one in parts}) == len(runs)),
        max(map(len, parts)),
    )
    return [printable("/".join(one[-length:])) for one in parts]


def read_record(directory: Path) -> Record:
    """Read the run.json of a directory; `InputError` where there is none, or it is damaged."""
    path = directory / RUN
    try:
        return record.decode(regular.read(path), path)
    except OSError as error:
        raise _no_run(directory, error) from None


def tidy(directory: Path) -> None:
    """Clean up after a killed process; the caller holds the lock. `OSError` where the disk refuses."""
    files.recover(directory, MEASUREMENTS, DERIVED)


def _load_suite(path: Path) -> Run:
    from actbench.runs import pyperf_suite  # imported late: reading directories does not need pyperf

    suite = pyperf_suite.read(path)
    if path.name != SUITE or not (path.parent / RUN).exists():
        return Run(path, suite.plan, suite.times, None, suite.loops)
    run = load(path.parent)
    if run.record is None or (run.record.status is not Status.RUNNING and not _same(suite.times, run.times)):
        raise damaged(f"{path} is not of the run in {path.parent}: what was measured differs")
    return run


def _same(one: Times, other: Times) -> bool:
    """Return whether all values are equal, to the digits of values.csv."""
    if one.blocks != other.blocks or any(one.rounds(block) != other.rounds(block) for block in one.blocks):
        return False
    pairs = ((one.seconds(block), other.seconds(block)) for block in one.blocks)
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-8, atol=0, equal_nan=True) for a, b in pairs)


def _load_directory(directory: Path) -> Run:
    for _ in range(ATTEMPTS):
        try:
            return _settled(_read(directory))
        except InputError:
            if not _is_held(directory):
                raise
        time.sleep(PAUSE)  # another process is between two files
    return _settled(_read(directory))


def _read(directory: Path) -> Run:
    current = read_record(directory)
    times = Times(current.plan)
    for name, blocks in ((VALUES, current.plan.blocks), (PROBES, current.plan.probes)):
        if name == PROBES and not current.probed:
            continue
        try:
            data = regular.read(files.current(directory, name, RUN))
        except OSError as error:
            raise damaged(f"cannot read {directory / name}: {error.strerror}") from None
        written = values.sections(blocks, current.calibrations, current.digests)
        values.from_csv(data, directory / name, written, times)
    path = directory / JOURNAL
    try:
        data = regular.read(path)
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; remove it: rounds before it are in {VALUES}") from None
    for finished in journal.read(data, path, current):
        times.add(finished)
    calls: dict[Case, int] = {}
    for block in times.blocks:
        calibration = current.calibrations[block.id]
        calls.update(zip(block.timed, map(calibration.calls, range(len(block.timed))), strict=True))
    return Run(directory, current.plan, times, current, calls)


def _settled(run: Run) -> Run:
    """Clean up after a killed process and mark its run as interrupted; leave a run that is being measured unchanged."""
    unfinished = any(files.part(run.path / name).exists() for name in (*MEASUREMENTS, *DERIVED))
    unfinished |= (run.path / files.PROBE).exists()
    if run.record is None or (run.record.status is not Status.RUNNING and not unfinished):
        return run
    with suppress(InputError, OSError), files.locked(run.path):
        if run.record.status is Status.RUNNING:
            run.record.status = Status.INTERRUPTED
        with suppress(OSError):  # a directory without write permission can still be read
            tidy(run.path)
            current = read_record(run.path)
            if current.status is Status.RUNNING:
                current.status = Status.INTERRUPTED
                files.commit(run.path, {RUN: record.encode(current)})
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
        why = "it is neither a directory nor a regular file"
    return InputError(f"{path} is not a run ({why}): name a directory with a run.json, a pyperf.json, or 'latest'")
