"""What a fleet does on a host, in a thread of its Dask worker: one exclusive measurement, with events to a client.

The measuring processes are those of ``actbench run``; this thread decides, and writes nothing on the host.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actbench.engine.planned_elsewhere import PlannedElsewhere
from actbench.engine.preparing import guaranteed_rounds, prepare
from actbench.engine.requests import RunRequest
from actbench.engine.resuming import go_on_here
from actbench.engine.session import Seams, Session
from actbench.errors import ActbenchError, InputError
from actbench.host import environment
from actbench.host.directories import name_for
from actbench.host.environment import Environment
from actbench.model.outcomes import BlockTimes
from actbench.model.times import Times
from actbench.runs import archive, files, plan_file
from actbench.runs.record import Status
from actbench.runs.writer import Writer


@dataclass(frozen=True, slots=True)
class HostTask:
    """What one host is to measure."""

    topic: str
    """Where its events go."""
    label: str
    plan: bytes
    request: RunRequest
    """Its limits; the plan is in a file."""
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


def host_of(address: str) -> str:
    """Return the host of a worker's address, ``tcp://127.0.0.2:40123``."""
    return urlsplit(address).hostname or address


def describe() -> Environment:
    """Return this host and its software."""
    return environment.collect(None)


def measure_here(task: HostTask) -> None:
    """Measure on this host, and send every event to the client, then how it ended."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    seams = Seams()
    started = seams.clock()

    def send(message: Any) -> None:
        worker.log_event(task.topic, pickle.dumps((task.label, message)))

    def wanted() -> bool:
        """Return whether the client and the scheduler are still there; a thread cannot be ended from outside."""
        state = worker.state.tasks.get(key)
        return worker.status.name == "running" and state is not None and state.state == "executing"

    status, why = Status.INTERRUPTED, ""
    try:
        with _exclusive(host_of(worker.address)), _opened(task, seams) as run:
            send(run.record)
            session = Session(run.record, run.times, started, guaranteed_rounds(task.request), seams)
            for event in session.events():
                run.take(event)
                send(event)
                if not wanted():
                    return
        status = Status.COMPLETE
    except ActbenchError as error:
        why = str(error)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise
    finally:
        send(Ended(status, seams.clock() - started, why))


@contextmanager
def _exclusive(host: str) -> Iterator[None]:
    """Hold the lock of this host; `InputError` where another fleet measures here."""
    place = Path(tempfile.gettempdir()) / f"actbench-{os.getuid()}-{name_for(host)}"
    place.mkdir(exist_ok=True)
    with files.locked(place, "another fleet measures on this host: wait for it, and then go on with --resume"):
        yield


@contextmanager
def _opened(task: HostTask, seams: Seams) -> Iterator[UnwrittenRun]:
    """Open a new run of the plan, or the one that the client has files of."""
    plan = plan_file.decode(task.plan, "the plan of the fleet")
    request = replace(task.request, planned=PlannedElsewhere(plan))
    if not task.written:
        record = prepare(request).record(seams.start_worker)
        yield UnwrittenRun(Path(), record, Times(record.plan))
        return
    with tempfile.TemporaryDirectory() as directory:
        for name, data in task.written.items():
            Path(directory, name).write_bytes(data)
        run = archive.load(Path(directory))
    if run.record is None:
        raise InputError("the client sent no record of the run to go on with")
    go_on_here(Path(task.label), run.record, seams.start_worker, environment.choose_cpu(None))
    yield UnwrittenRun(Path(), run.record, run.times)
