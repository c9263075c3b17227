"""A run being written: begun by its run.json, saved after every round, and gone on with after it was interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from actbench.errors import InputError, unwritable
from actbench.host import regular
from actbench.host.environment import process_metadata, public_text
from actbench.model.events import Calibrated, Checked, Disturbed, Event, Failed, Lost, Measured, Recovered, RoundDone
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.times import Times
from actbench.runs import archive, files, journal, latest, record, values
from actbench.runs.names import JOURNAL, PROBES, RUN, SUITE, VALUES, WRITTEN
from actbench.runs.record import Record, Status

BYTES_PER_VALUE = 200
"""What a value takes on disk, in values.csv and pyperf.json together, generously."""


@dataclass(slots=True)
class Writer:
    """A run being written."""

    directory: Path
    record: Record
    times: Times
    """What was measured; the engine adds to it before it tells."""
    metadata: Mapping[str, str | float] = field(default_factory=process_metadata)
    """pyperf's metadata of this host, as far as it can be published."""
    lines: int = 0
    """Of the journal."""

    def take(self, event: Event) -> None:
        """Note what happened; after a round, write it all."""
        match event:
            case Checked(check):
                self.record.checks.append(check)
            case Calibrated(block, calibration):
                self.record.calibrations[block] = calibration
                self.save()
                latest.point(latest.NEWEST, self.directory)
            case Measured(times):
                self._note(times)
            case Disturbed():
                self.record.repeats += 1
            case Lost(failure):
                self.record.losses.append(_public(failure))
            case Failed(failure):
                self._forgive(failure.block)
                self.record.failures.append(_public(failure))
            case Recovered(block):
                self._forgive(block)
            case RoundDone(number):
                self.record.rounds = max(number, self.record.rounds)
                self.save()

    def save(self) -> None:
        """Write the files that hold measurements, as one, and drop the journal that they replace."""
        from actbench.runs import pyperf_suite  # what only reads runs need not wait for pyperf

        calibrations, times = self.record.calibrations, self.times
        text, digests = values.to_csv(times.finished(), calibrations)
        probes, of_probes = values.to_csv(times.probed(), calibrations)
        self.record.digests = digests | of_probes
        suite = pyperf_suite.to_json(times, calibrations, self.metadata)
        self.record.saves += 1
        contents: dict[str, str | bytes] = {RUN: record.encode(self.record), VALUES: text}
        contents |= {PROBES: probes} if self.record.probed else {}
        files.commit(self.directory, contents | ({SUITE: suite} if suite else {}))
        (self.directory / JOURNAL).unlink(missing_ok=True)
        self.lines = 0

    def close(self, status: Status, seconds: float) -> None:
        """Write it all a last time; `seconds` is what this session took."""
        self.record.status = status
        self.record.seconds += seconds
        self.save()
        if status is Status.COMPLETE:
            latest.point(latest.NEWEST, self.directory)
            latest.point(latest.LATEST, self.directory)

    def _note(self, times: BlockTimes) -> None:
        line = journal.line(self.record, self.lines + 1, times)
        try:
            files.append(self.directory / JOURNAL, line)
        except OSError as error:
            said = f"cannot write to {self.directory}: {error.strerror}; rounds before this one are intact there"
            raise unwritable(said, error) from None
        self.lines += 1

    def _forgive(self, block: str) -> None:
        """Let earlier failures of a block be losses: it was tried again."""
        self.record.losses += [failure for failure in self.record.failures if failure.block == block]
        self.record.failures = [failure for failure in self.record.failures if failure.block != block]


@contextmanager
def create(directory: Path | None, new: Record) -> Iterator[Writer]:
    """Begin a run in `directory`, or in a new one under results/; `InputError` when that cannot be."""
    if directory is None:
        directory = _fresh(new.settings.preset)
    if directory.absolute() == (latest.RESULTS / latest.LATEST).absolute():
        raise InputError(f"-o {directory}: that is the link to the latest run; name a directory of its own")
    files.probe(directory, BYTES_PER_VALUE * 400 * len(new.plan.cases))
    with files.locked(directory):
        _make_room(directory)
        writer = Writer(directory, new, Times(new.plan))
        writer.save()
        yield writer


@contextmanager
def reopen(directory: Path) -> Iterator[Writer]:
    """Go on with the run in `directory`, or ``latest``; `InputError` when there is none, or it is damaged."""
    run = archive.load(latest.newest() if latest.is_meant(directory) else directory)
    if run.path.is_file() or run.record is None:
        raise InputError(f"--resume {directory}: name the directory of the run")
    with files.locked(run.path):
        run = archive.load(run.path)
        assert run.record is not None  # noqa: S101  # it is there, see above
        writer = Writer(run.path, run.record, run.times)
        if (run.path / JOURNAL).exists():
            writer.save()  # it may end in half a line, to which nothing must be appended
        run.record.status = Status.RUNNING
        yield writer


def _public(failure: Failure) -> Failure:
    return replace(failure, reason=public_text(failure.reason))


def _make_room(directory: Path) -> None:
    """Make sure that a new run may begin in a directory, and clean up what a killed process left of another there.

    A run gives way of which nothing was timed: one that was refused, or killed before that. `InputError` for any other,
    and where there are files of these names that are no run's.
    """
    holds = InputError(f"{directory} holds a run: go on with it (--resume {directory}) or name another with -o")
    try:
        archive.tidy(directory)
    except OSError as error:
        said = f"cannot write to {directory}: {error.strerror}; name another directory with -o"
        raise unwritable(said, error) from None
    if (directory / RUN).exists():
        try:
            there = archive.load(directory)
        except InputError:
            raise holds from None
        if there.times.blocks or there.record is None or there.record.status is Status.COMPLETE:
            raise holds
        return
    foreign = [name for name in WRITTEN if (directory / name).exists() and not _is_empty(directory / name)]
    if foreign:
        raise InputError(f"{directory} holds {foreign[0]}, which a run would replace: name another directory with -o")


def _is_empty(path: Path) -> bool:
    """Say whether a file is a values.csv without values, which nobody misses."""
    try:
        return path.name == VALUES and regular.read(path) == values.HEADER.encode()
    except OSError:
        return False


def _fresh(preset: str) -> Path:
    """Return a directory under results/ that is not there yet, named by time and preset."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    paths = (latest.RESULTS / f"{stamp}-{preset}{suffix}" for suffix in suffixes)
    return next(path for path in paths if not path.exists())
