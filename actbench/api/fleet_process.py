"""The process in which a host of a fleet measures: a child of its Dask worker, which sends every event to that.

Code of the user's is loaded there and not in the Dask worker, whose threads would share what the code changes. The
process ends with its Dask worker, or as soon as that does not want it any more.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from actbench import plugins
from actbench.api.fleet_files import FleetFiles
from actbench.api.sent_code import SentCode
from actbench.engine import training
from actbench.engine.planned_elsewhere import PlannedElsewhere
from actbench.engine.preparing import guaranteed_rounds, prepare
from actbench.engine.requests import RunRequest
from actbench.engine.resuming import go_on_here
from actbench.engine.session import Seams, Session
from actbench.errors import ActbenchError, InputError, reason
from actbench.host import environment
from actbench.host.directories import name_for
from actbench.model.inputs import Inputs
from actbench.model.outcomes import BlockTimes
from actbench.model.times import Times
from actbench.runs import archive, files
from actbench.runs.record import Record, Status
from actbench.runs.writer import Writer

POLL = 1.0
"""Seconds between looks at whether the process is still wanted."""


@dataclass(frozen=True, slots=True)
class HostTask:
    """What one host is to measure."""

    topic: str
    """Where its events go."""
    label: str
    files: FleetFiles
    limits: RunRequest
    """What ends it, and no more."""
    written: Mapping[str, bytes]
    """The files of a run to go on with; empty for a new one."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a host's work."""

    status: Status
    seconds: float
    why: str = ""
    """The error that ended it; empty where it is complete."""


@dataclass(slots=True)
class UnwrittenRun(Writer):
    """A run whose files are the client's."""

    def save(self) -> None:
        """Keep everything in memory."""

    def _note(self, times: BlockTimes) -> None:
        """Keep it in memory."""


def messages(task: HostTask, host: str) -> Generator[Any]:
    """Start the process and yield what it sends: the record, events, `Ended`; None every second in between."""
    command = [sys.executable, "-P", "-c", "from actbench.api.fleet_process import main; main()"]
    try:
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except OSError as error:
        yield Ended(Status.INTERRUPTED, 0.0, f"its measuring process cannot be started: {reason(error)}")
        return
    with started as process:
        to_process, from_process = process.stdin, process.stdout
        assert to_process is not None  # noqa: S101  # a pipe
        assert from_process is not None  # noqa: S101
        try:
            with Connection(os.dup(from_process.fileno()), writable=False) as sent:
                pickle.dump((task, host), to_process)
                to_process.flush()
                yield from _received(sent)
        except (EOFError, OSError):
            yield Ended(Status.INTERRUPTED, 0.0, "its measuring process ended before it had finished: was it killed?")
        finally:
            with suppress(OSError):
                to_process.close()  # which ends the process


def _received(sent: Connection) -> Iterator[Any]:
    while True:
        message = sent.recv() if sent.poll(POLL) else None
        yield message
        if isinstance(message, Ended):
            return


def main() -> None:
    """Do the task that stdin has, and send what happens to stdout; what prints goes to stderr."""
    task, host = pickle.load(sys.stdin.buffer)  # noqa: S301  # of our Dask worker
    with tempfile.TemporaryDirectory() as directory, Connection(os.dup(1), readable=False) as parent:
        threading.Thread(target=_end_with_parent, args=(os.dup(0), directory), daemon=True).start()
        os.dup2(2, 1)
        for message in measured(task, host, Seams(), Path(directory)):
            parent.send(message)


def _end_with_parent(pipe: int, directory: str) -> None:
    """Wait until the pipe is closed, which the Dask worker does, or its end; leave no files behind."""
    os.read(pipe, 1)
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(1)  # workers end as their pipes are closed


def measured(task: HostTask, host: str, seams: Seams, directory: Path) -> Iterator[Any]:
    """Measure here, exclusively; yield the record, every event, and how it ended.

    The user's files are written to the directory, which is empty.
    """
    started = seams.clock()
    status, why = Status.INTERRUPTED, ""
    try:
        with _exclusive(host), _loaded(task.files.code, directory):
            run = _opened(task, seams, directory)
            yield run.record
            session = Session(run.record, run.times, started, guaranteed_rounds(run.record.settings), seams)
            for event in session.events():
                run.take(event)
                yield event
        status = Status.COMPLETE
    except ActbenchError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001  # the client says what a host met
        why = f"{type(error).__name__}: {error}"
    yield Ended(status, seams.clock() - started, why)


@contextmanager
def _exclusive(host: str) -> Iterator[None]:
    """Hold the lock of this host; `InputError` where another fleet measures here."""
    place = Path(tempfile.gettempdir()) / f"actbench-{os.getuid()}-{name_for(host)}"
    place.mkdir(exist_ok=True)
    with files.locked(place, "another fleet measures on this host: wait for it, and then go on with --resume"):
        yield


@contextmanager
def _loaded(code: tuple[SentCode, ...], directory: Path) -> Iterator[None]:
    """Load the user's code; `InputError` where it is not what the client has."""
    try:
        for number, one in enumerate(code):
            plugins.load(one.name, one.sha256, one.written(directory / f"code{number}"))
        yield
    finally:
        if code:
            plugins.unload()


def _opened(task: HostTask, seams: Seams, directory: Path) -> UnwrittenRun:
    """Return a new run of the plan, or the one that the client has files of."""
    inputs = task.files.inputs.written(directory / "inputs") if task.files.inputs else None
    if not task.written:
        record = _new_record(task, inputs, seams)
        return UnwrittenRun(Path(), record, Times(record.plan))
    place = directory / "run"
    place.mkdir()
    for name, data in task.written.items():
        (place / name).write_bytes(data)
    run = archive.load(place)
    if run.record is None:
        raise InputError("the client sent no record of the run to go on with")
    go_on_here(Path(task.label), run.record, seams.start_worker, environment.choose_cpu(None), inputs)
    return UnwrittenRun(Path(), run.record, run.times)


def _new_record(task: HostTask, inputs: Inputs | None, seams: Seams) -> Record:
    planned = PlannedElsewhere(task.files.decoded())
    request = replace(task.limits, planned=planned, inputs=inputs)
    if planned.file.plan.training:
        return training.prepare_planned(planned, request).record(seams.start_worker)
    return prepare(request).record(seams.start_worker)
