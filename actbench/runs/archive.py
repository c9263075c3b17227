"""A run's directory: written while measuring, read for everything after.

The journal takes each finished block as it comes, one line each, so that a killed process loses none. After every
round all files are written anew, each in one move, and the journal is done with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, count
from math import inf
from pathlib import Path

import msgspec

from actbench.errors import InputError, unwritable
from actbench.model import Block, BlockTimes, Plan
from actbench.runs import files, record, values
from actbench.runs.environment import process_metadata, public_text
from actbench.runs.events import Calibrated, Checked, Disturbed, Event, Failed, Measured, RoundDone
from actbench.runs.record import Record, Status
from actbench.runs.times import Times

RESULTS = Path("results")
"""Where runs go and are looked for, in the current directory."""

LATEST = "latest"
"""The link in `RESULTS` to the run begun last, and what users call it."""

JOURNAL = "journal.jsonl"

WRITTEN = ("values.csv", "pyperf.json", "cases.csv", "speedups.csv", "crossovers.csv", "summary.md", JOURNAL)
"""What a run's directory holds beside its run.json."""

BYTES_PER_VALUE = 200
"""What a value takes on disk, in values.csv and pyperf.json together, generously."""


@dataclass(slots=True)
class Run:
    """A run as read from disk. `record` is None for a suite without its run.json."""

    path: Path
    plan: Plan
    times: Times
    record: Record | None


@dataclass(slots=True)
class Writer:
    """A run being written."""

    directory: Path
    record: Record
    times: Times
    metadata: Mapping[str, str | float] = field(default_factory=process_metadata)
    """pyperf's metadata of this host, as far as it can be published."""

    def take(self, event: Event) -> None:
        """Note what happened; after a round, write it all."""
        match event:
            case Checked(check):
                self.record.checks.append(check)
            case Calibrated(block, calibration):
                self.record.calibrations[block] = calibration
                self.save()
            case Measured(times):
                self.times.add(times)
                self._note(times)
            case Disturbed():
                self.record.repeats += 1
            case Failed(failure):
                self.record.failures.append(replace(failure, reason=public_text(failure.reason)))
            case RoundDone(number):
                self.record.rounds = number
                self.save()
                _point_latest(self.directory)

    def save(self) -> None:
        """Write the files that hold measurements, and drop the journal that they replace."""
        from actbench.runs import pyperf_suite  # what only reads runs need not wait for pyperf

        calibrations = self.record.calibrations
        files.write(self.directory / "values.csv", values.to_csv(self.record.plan, self.times, calibrations))
        suite = pyperf_suite.to_json(self.times, calibrations, self.metadata)
        if suite:
            files.write(self.directory / "pyperf.json", suite)
        files.write(self.directory / "run.json", record.encode(self.record))
        (self.directory / JOURNAL).unlink(missing_ok=True)

    def close(self, status: Status, seconds: float) -> None:
        """Write it all a last time; `seconds` is what this session took."""
        self.record.status = status
        self.record.seconds += seconds
        self.save()

    def _note(self, times: BlockTimes) -> None:
        line = _Line(times.block.id, times.round, times.seconds)
        try:
            with (self.directory / JOURNAL).open("ab") as journal:
                journal.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            said = f"cannot write to {self.directory}: {error.strerror}; rounds before this one are intact there"
            raise unwritable(said, error) from None


@contextmanager
def create(directory: Path | None, new: Record) -> Iterator[Writer]:
    """Begin a run in `directory`, or in a new one under results/; `InputError` when that cannot be."""
    if directory is None:
        directory = _fresh(new.settings.preset)
    if directory.absolute() == (RESULTS / LATEST).absolute():
        raise InputError(f"-o {directory}: that is the link to the newest run; name a directory of its own")
    files.probe(directory, BYTES_PER_VALUE * 400 * len(new.plan.cases))
    with files.locked(directory):
        if not _can_hold(directory):
            raise InputError(f"{directory} holds a run: go on with it (--resume {directory}) or name another with -o")
        writer = Writer(directory, new, Times(new.plan))
        writer.save()
        yield writer


@contextmanager
def reopen(directory: Path) -> Iterator[Writer]:
    """Go on with the run in `directory`, or ``latest``; `InputError` when there is none, or it is damaged."""
    there = load(directory).path
    if there.is_file():
        raise InputError(f"--resume {directory}: name the directory of the run")
    with files.locked(there):
        run = load(there)
        assert run.record is not None  # noqa: S101  # it is there, see above
        writer = Writer(there, run.record, run.times)
        if (there / JOURNAL).exists():
            writer.save()  # it may end in half a line, to which nothing must be appended
        run.record.status = Status.RUNNING
        yield writer


def load(path: Path) -> Run:
    """Read a run: its directory, its pyperf.json, or ``latest``; `InputError` when that is not one."""
    if str(path) == LATEST:
        path = RESULTS / LATEST
        if not path.exists():
            raise InputError(
                "there is no latest run under results/: make one with 'actbench run', or name its directory"
            )
    try:
        if path.is_file():
            from actbench.runs import pyperf_suite

            plan, times = pyperf_suite.from_json(path)
            if (path.parent / "run.json").exists():
                return load(path.parent)
            return Run(path, plan, times, None)
        data = (path / "run.json").read_bytes()
    except OSError as error:
        why = "there is no run.json in it" if isinstance(error, FileNotFoundError) and path.is_dir() else error.strerror
        raise InputError(
            f"{path} is not a run ({why}): name a directory with a run.json, a pyperf.json, or 'latest'"
        ) from None
    found = record.decode(data, path / "run.json")
    times = values.from_csv(path / "values.csv", found.plan, found.calibrations)
    for finished in _journal(path / JOURNAL, found):
        times.add(finished)
    return Run(path, found.plan, times, found)


def load_timed(path: Path) -> Run:
    """Read a run that was not refused before anything was timed; `InputError` when it was."""
    run = load(path)
    require_timed(run)
    return run


def require_timed(run: Run) -> None:
    """Raise `InputError` for a run that was refused before anything was timed."""
    if run.record is not None and run.record.status is Status.REFUSED:
        raise InputError(f"{run.path} was refused before anything was timed, for a wrong kernel: correct it, run again")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the journal."""

    block: str
    round: int
    seconds: tuple[tuple[float, ...], ...]


def _journal(path: Path, of: Record) -> Iterator[BlockTimes]:
    """Yield the blocks finished since the files were last written; a last line cut short by a kill is dropped."""
    blocks: dict[str, Block] = {block.id: block for block in of.plan.blocks}
    if not path.exists():
        return
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            try:
                entry = msgspec.json.decode(line, type=_Line)
            except msgspec.MsgspecError as error:
                raise _damaged(path, error) from None
            counts = tuple(map(len, entry.seconds))
            calibration = of.calibrations.get(entry.block)
            right = calibration is not None and counts == calibration.values and entry.round > 0
            if not right or not all(0 < value < inf for arm in entry.seconds for value in arm):
                raise _damaged(path, f"a line is not of block {entry.block} as it was calibrated")
            yield BlockTimes(blocks[entry.block], entry.round, entry.seconds)


def _damaged(journal: Path, why: object) -> InputError:
    return InputError(f"{journal} is damaged: {why}; remove it: the rounds before it are in values.csv")


def _can_hold(directory: Path) -> bool:
    """Say whether a new run may begin in a directory: a run that was refused before anything was timed gives way.

    `InputError` where it has files of these names that are no run's.
    """
    path = directory / "run.json"
    if path.exists():
        try:
            return record.decode(path.read_bytes(), path).status is Status.REFUSED and not load(directory).times.blocks
        except (InputError, OSError):
            return False
    there = [name for name in WRITTEN if (directory / name).exists()]
    if there:
        raise InputError(f"{directory} holds {there[0]}, which a run would replace: name another directory with -o")
    return True


def _fresh(preset: str) -> Path:
    """Return a directory under results/ that is not there yet, named by time and preset."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    paths = (RESULTS / f"{stamp}-{preset}{suffix}" for suffix in suffixes)
    return next(path for path in paths if not path.exists())


def _point_latest(directory: Path) -> None:
    """Let results/latest lead to a run under results/; a run elsewhere is found by its own path."""
    directory = directory.resolve()
    if directory.parent != RESULTS.resolve():
        return
    link = RESULTS / f".{LATEST}.part"
    link.unlink(missing_ok=True)
    link.symlink_to(directory.name)
    link.replace(RESULTS / LATEST)
