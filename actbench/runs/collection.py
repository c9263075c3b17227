"""The runs that paths lead to: runs, checks with both of their sides, and directories of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from actbench.errors import InputError, printable, reason
from actbench.runs import digest, latest
from actbench.runs.digest import Digest
from actbench.runs.names import RUN, SUITE
from actbench.runs.record import Status

BASELINE, CANDIDATE = "baseline", "candidate"
"""The directories of a check's sides, below that of the check (``actbench check -o``)."""

UNREADABLE = {
    Status.RUNNING: "is not finished: wait for it, or go on with it (--resume)",
    Status.REFUSED: "was refused, for a wrong kernel or none that works here",
}
"""Why runs of these states have no place among others."""


@dataclass(frozen=True, slots=True)
class CollectedRun:
    """A run, or the candidate of a check with its baseline."""

    name: str
    """Of its directory, or of the check's, printable."""
    run: Digest
    baseline: Digest | None = None
    named: bool = True
    """Whether the user named it, and not a directory that has it."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Runs by the time at which they were begun, each once, and what was left out of them."""

    runs: tuple[CollectedRun, ...]
    left_out: tuple[str, ...]
    """A sentence for each directory that is damaged, unfinished, of another version, or a copy of another one."""


def collect(paths: Iterable[Path]) -> Collection:
    """Return the runs that paths name, and those in directories that they name.

    `InputError` where a path leads to no run, or names one that cannot be read; in a directory such runs are left out.
    """
    runs: dict[str, CollectedRun] = {}
    left_out: list[str] = []
    for path in paths:
        directory = _directory(path)
        members = [directory] if _is_member(directory) else [*_members(directory)]
        for member in members:
            try:
                collected = _read(member, named=member is directory)
            except InputError as error:
                if member is directory:
                    raise
                left_out.append(printable(str(error)))
            else:
                known = runs.setdefault(collected.run.id, collected).run
                if known.path.resolve() != collected.run.path.resolve():
                    copy = f"{collected.run.path} is a copy of {known.path}: both have the id {known.id}"
                    left_out.append(printable(copy))
    if not runs:
        raise InputError(f"no run can be read: {left_out[0]}")
    return Collection(tuple(sorted(runs.values(), key=lambda one: one.run.created)), tuple(left_out))


def _directory(path: Path) -> Path:
    """Return the directory that a path names; `InputError` where there is none."""
    if latest.is_meant(path):
        return latest.complete()
    if path.name in {RUN, SUITE} and (path.parent / RUN).exists():
        return path.parent
    if not path.is_dir():
        what = "is no directory of a run or of runs" if path.exists() else "does not exist"
        raise InputError(f"{path} {what}: name runs, checks (actbench check -o), or a directory that has some")
    return path


def _is_member(directory: Path) -> bool:
    """Return whether a directory is that of a run, or of a check."""
    return (directory / RUN).exists() or _is_check(directory)


def _is_check(directory: Path) -> bool:
    """Return whether a directory has the sides of a check, and not just runs of their names: they began as one.

    Where a side cannot be read, that is to be reported of a check.
    """
    sides = [directory / side for side in (BASELINE, CANDIDATE)]
    if not all((side / RUN).exists() for side in sides):
        return False
    try:
        baseline, candidate = map(digest.read, sides)
    except (OSError, InputError):
        return True
    return baseline.created == candidate.created


def _members(directory: Path) -> Iterator[Path]:
    """Yield the runs and checks in a directory, without links; `InputError` where there is none."""
    try:
        entries = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {directory}: {reason(error)}") from None
    members = [entry for entry in entries if entry.is_dir() and not entry.is_symlink() and _is_member(entry)]
    if not members:
        raise InputError(f"{directory} has no run in it: name runs, or a directory that has some, such as results")
    yield from members


def _read(directory: Path, *, named: bool) -> CollectedRun:
    name = printable(directory.resolve().name)
    if (directory / RUN).exists():
        return CollectedRun(name, _readable(directory), named=named)
    baseline, candidate = (_readable(directory / side) for side in (BASELINE, CANDIDATE))
    if baseline.seconds != candidate.seconds:
        raise InputError(
            f"{candidate.path} and {baseline.path} were not measured together to the end, as the sides of a check are: "
            "name one of them, as a run"
        )
    return CollectedRun(name, candidate, baseline, named)


def _readable(directory: Path) -> Digest:
    try:
        run = digest.read(directory)
    except OSError as error:
        raise InputError(f"cannot read {directory / RUN}: {reason(error)}") from None
    if why := UNREADABLE.get(run.status):
        raise InputError(f"{directory} {why}")
    return run
