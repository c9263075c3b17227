"""Writing of a run: it starts with run.json, is saved after every round, and can be resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

import msgspec

from actbench.errors import InputError, OutputError, unwritable
from actbench.host import regular
from actbench.host.environment import process_metadata
from actbench.model import shell
from actbench.model.events import (
    Calibrated,
    CasesLeftOut,
    Checked,
    Disturbed,
    Event,
    Failed,
    Lost,
    Measured,
    PartsTimed,
    Recovered,
    RoundDone,
    StepChecked,
    Withdrawn,
)
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.times import Times
from actbench.runs import archive, files, journal, latest, record, values
from actbench.runs.formatted import Formatted
from actbench.runs.names import JOURNAL, MEASUREMENTS, PROBES, RUN, SUITE, VALUES, WRITTEN
from actbench.runs.record import Record, Status
from actbench.runs.values import Digests

BYTES_PER_VALUE = 200
"""Upper estimate of the bytes of a value in values.csv and pyperf.json together."""


def _suite_runs() -> Formatted[tuple[msgspec.Raw, ...]]:
    from actbench.runs import pyperf_suite  # imported late: reading runs does not need pyperf

    return pyperf_suite.runs()


@dataclass(slots=True)
class Writer:
    """A run that is being written."""

    directory: Path
    record: Record
    times: Times
    """The measurements. The engine adds a block before it yields `Measured`."""
    metadata: Mapping[str, str | float] = field(default_factory=process_metadata)
    """pyperf's metadata of this host, as far as it may be published."""
    lines: int = 0
    """Number of lines in the journal."""
    newest_before: Path | None = None
    """The latest run before this one, which a refused run gives its place back to."""
    unlinked: str = ""
    """Why a link to the latest run does not lead to this one, as a sentence; empty where it does."""
    _saved: tuple[Digests, bool] | None = None
    """The digests of the measurements that are in the files, and whether these have probes."""
    _rows: Formatted[tuple[str, str]] = field(default_factory=values.rows)
    _suite_runs: Formatted[tuple[msgspec.Raw, ...]] = field(default_factory=_suite_runs)

    def take(self, event: Event) -> None:
        """Record an event; after a round, save the run."""
        match event:
            case Checked(check):
                self.record.note_check(check)
            case StepChecked() | PartsTimed():
                self._take_training(event)
            case CasesLeftOut(left_out):
                self.record.leave_out(left_out)
                self.times.leave_out(self.record.plan)
                self.save()
            case Withdrawn():
                self._withdraw(event)
            case Calibrated(block, calibration):
                self.record.calibrations[block] = calibration
                self.save()
            case Measured(times):
                self._note(times)
            case Disturbed():
                self.record.repeats += 1
            case Lost() | Failed() | Recovered():
                self._take_failure(event)
            case RoundDone(number):
                self.record.rounds = max(number, self.record.rounds)
                self.save()

    def _take_training(self, event: StepChecked | PartsTimed) -> None:
        match event:
            case StepChecked(check):
                self.record.note_step_check(check)
            case PartsTimed(block, number, seconds):
                self.record.note_parts(block, number, seconds)

    def _take_failure(self, event: Lost | Failed | Recovered) -> None:
        match event:
            case Lost(failure):
                self.record.losses.append(failure)
            case Failed(failure):
                self._forgive(failure.block)
                self.record.failures.append(failure)
            case Recovered(block):
                self._forgive(block)

    def _withdraw(self, event: Withdrawn) -> None:
        """Forget the rounds of blocks, as those of blocks that failed, so that a resume measures all of them."""
        measured = [block.id for block in (*self.times.blocks, *self.times.probes) if block.id in event.blocks]
        self.times.withdraw(event.blocks)
        self.record.withdraw(event.blocks, self.times.last_round)
        for name in measured:
            self._take_failure(Failed(Failure(name, 0, event.reason)))
        self.save()

    def save(self) -> None:
        """Write the files of measurements as one, as far as they changed, and remove the journal."""
        from actbench.runs import pyperf_suite  # imported late: reading runs does not need pyperf

        calibrations, times = self.record.calibrations, self.times
        text, digests = values.to_csv(times, times.planned, calibrations, self._rows)
        probes, of_probes = values.to_csv(times, times.planned_probes, calibrations, self._rows)
        self.record.digests = digests | of_probes
        self.record.saves += 1
        contents: dict[str, str | bytes] = {RUN: record.encode(self.record)}
        measured = self.record.digests, self.record.probed
        if measured != self._saved:
            suite = pyperf_suite.to_json(times, calibrations, self.metadata, self._suite_runs)
            contents |= {VALUES: text} | ({PROBES: probes} if self.record.probed else {})
            contents |= {SUITE: suite} if suite else {}
        files.commit(self.directory, contents, [name for name in MEASUREMENTS if name not in contents])
        self._saved = measured
        (self.directory / JOURNAL).unlink(missing_ok=True)
        self.lines = 0

    def close(self, status: Status, seconds: float) -> None:
        """Save the run a last time; `seconds` is the duration of this session."""
        self.record.status = status
        self.record.seconds += seconds
        self.save()
        if status is Status.COMPLETE:
            newest = latest.point(latest.NEWEST, self.directory)
            self.unlinked = latest.point(latest.LATEST, self.directory) or newest
        if status is Status.REFUSED and self.newest_before:
            latest.point(latest.NEWEST, self.newest_before)

    def _note(self, times: BlockTimes) -> None:
        line = journal.line(self.record, self.lines + 1, times)
        try:
            files.append(self.directory / JOURNAL, line)
        except OSError as error:
            way_out = f"mend that, and go on with {shell.command('--resume', self.directory)}"
            intact = f"the rounds before this one are intact there: {way_out}"
            sentence = f"cannot write to {self.directory}: {error.strerror}; {intact}"
            raise OutputError(sentence) from None  # another name would not help
        self.lines += 1

    def _forgive(self, block: str) -> None:
        """Turn earlier failures of a block into losses: it was tried again."""
        self.record.losses += [failure for failure in self.record.failures if failure.block == block]
        self.record.failures = [failure for failure in self.record.failures if failure.block != block]


@contextmanager
def create(directory: Path | None, new: Record) -> Iterator[Writer]:
    """Start a run in `directory`, or in a new one under results/; `InputError` where that is not possible."""
    way_out = files.NAME_ANOTHER
    if directory is None:
        directory = fresh_directory(new.settings.preset)
        way_out = f"change to a directory in which {latest.RESULTS}/ can be written"  # not every command has -o
    if directory.absolute() == (latest.RESULTS / latest.LATEST).absolute():
        raise InputError(f"-o {directory}: that is the link to the latest run; name another directory")
    latest.refuse_directories(directory)
    with ExitStack() as stack:
        with files.removed_if_empty(directory):
            files.probe(directory, BYTES_PER_VALUE * 400 * len(new.plan.cases), way_out)
            stack.enter_context(files.locked(directory))
            _make_room(directory)
            writer = Writer(directory, new, Times(new.plan), newest_before=latest.target(latest.NEWEST))
            writer.save()
        writer.unlinked = latest.point(latest.NEWEST, directory)
        yield writer


@contextmanager
def reopen(directory: Path) -> Iterator[Writer]:
    """Resume the run in `directory`, or ``latest``; `InputError` where there is none, or it is damaged."""
    run = archive.load(latest.newest() if latest.is_meant(directory) else directory)
    if run.path.is_file() or run.record is None:
        raise InputError(f"--resume {directory}: name the directory of the run")
    with files.locked(run.path, f"another process is writing to {run.path}: wait for it"):
        run = archive.load(run.path)
        assert run.record is not None  # noqa: S101  # checked above
        writer = Writer(run.path, run.record, run.times)
        if (run.path / JOURNAL).exists():
            writer.save()  # the journal may end with an incomplete line
        run.record.status = Status.RUNNING
        yield writer


def _make_room(directory: Path) -> None:
    """Check that a new run may start in a directory, and clean up after a killed process.

    A run without any times is replaced: it was refused, or killed early. `InputError` for any other run, and for files
    of the same names that belong to no run.
    """
    resuming = shell.command("--resume", directory)
    holds = InputError(f"{directory} holds a run: go on with it ({resuming}) or name another with -o")
    try:
        archive.tidy(directory)
    except OSError as error:
        message = f"cannot write to {directory}: {error.strerror}; name another directory with -o"
        raise unwritable(message, error) from None
    if (directory / RUN).exists():
        if not is_replaceable(directory):
            raise holds
        return
    if foreign := foreign_files(directory):
        raise InputError(f"{directory} holds {foreign[0]}, which a run would replace: name another directory with -o")


def foreign_files(directory: Path) -> list[str]:
    """Return the files in a directory without a run that have the names of a run's, such as those of a lost run."""
    return [name for name in WRITTEN if (directory / name).exists() and not _is_empty(directory / name)]


def is_replaceable(directory: Path) -> bool:
    """Return whether a directory has a run without any times: it was refused, or killed early."""
    try:
        run = archive.load(directory)
    except InputError:
        return False
    return not (run.times.blocks or run.record is None or run.record.status is Status.COMPLETE)


def _is_empty(path: Path) -> bool:
    """Return whether a file is a values.csv without values, which may be replaced."""
    try:
        return path.name == VALUES and regular.read(path) == values.HEADER.encode()
    except OSError:
        return False


def fresh_directory(preset: str) -> Path:
    """Return a new directory under results/, named by time and preset."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    paths = (latest.RESULTS / f"{stamp}-{preset}{suffix}" for suffix in suffixes)
    return next(path for path in paths if not path.exists())
