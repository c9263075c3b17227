"""What a fleet does on a host, in a thread of its Dask worker: it passes on what the measuring process sends."""

from __future__ import annotations

import pickle
from typing import Any
from urllib.parse import urlsplit

from actbench.api import fleet_process
from actbench.api.fleet_process import HostTask
from actbench.host import environment
from actbench.host.environment import Environment


def host_of(address: str) -> str:
    """Return the host of a worker's address, ``tcp://127.0.0.2:40123``."""
    return urlsplit(address).hostname or address


def describe(further: tuple[str, ...]) -> Environment:
    """Return this host and its software, with the versions of further distributions."""
    return environment.collect(None, further=further)


def measure_here(task: HostTask) -> None:
    """Measure on this host, and send every event to the client, then how it ended."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        """Return whether the client and the scheduler are still there; a thread cannot be ended from outside."""
        state = worker.state.tasks.get(key)
        return worker.status.name == "running" and state is not None and state.state == "executing"

    def send(message: Any) -> None:
        worker.log_event(task.topic, pickle.dumps((task.label, message)))

    for message in fleet_process.messages(task, host_of(worker.address)):
        if message is not None:
            send(message)
        if not wanted():
            return
