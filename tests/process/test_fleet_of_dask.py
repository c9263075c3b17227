"""A fleet on a real Dask cluster of one machine: hosts are loopback addresses."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dask_processes import LONGEST, Processes, reached, rounds, wait_for_workers, wait_until
from tests.support.tiers import EXHAUSTIVE

pytest.importorskip("distributed", reason="distributed is not installed")

pytestmark = EXHAUSTIVE

SELECTED = ("-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "100,1000", "--rounds", "12")


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    running = Processes()
    yield running
    running.end()


def test_a_worker_and_a_client_that_are_killed_cost_nothing_that_was_finished(processes: Processes) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    processes.scheduler("127.0.0.1", port)
    workers = {host: processes.worker(address, f"127.0.0.{host}") for host in (2, 3, 4)}
    wait_for_workers(address, 3)
    client = processes.start("actbench", "fleet", "run", *SELECTED, "--scheduler", address, "-o", "fleet", "-q")
    wait_until(lambda: reached(1) == 3, "a round of every host")
    workers[3].send_signal(signal.SIGKILL)
    client.send_signal(signal.SIGKILL)
    client.wait()
    kept = rounds()
    processes.worker(address, "127.0.0.7")
    wait_for_workers(address, 3)
    resumed = processes.start("actbench", "fleet", "run", "--resume", "fleet", "--scheduler", address, "-q")
    assert resumed.wait(timeout=LONGEST) == 0
    assert rounds() == dict.fromkeys(("kind1-host1", "kind1-host2", "kind1-host3"), ("complete", 12))
    assert kept.keys() == rounds().keys()
