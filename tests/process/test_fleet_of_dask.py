"""A fleet on a real Dask cluster of one machine: hosts are loopback addresses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.tiers import EXHAUSTIVE

pytest.importorskip("distributed", reason="distributed is not installed")

pytestmark = EXHAUSTIVE

SELECTED = ("-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "100,1000", "--rounds", "12")

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start processes that end with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def started(*words: str) -> subprocess.Popen[bytes]:
        processes.append(subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL))
        return processes[-1]

    yield started
    for process in processes:
        process.kill()
        process.wait()


def cluster(start: Start) -> tuple[str, dict[int, subprocess.Popen[bytes]]]:
    """Start a scheduler and three workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    start("dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    return address, {host: worker(start, address, host) for host in (2, 3, 4)}


def worker(start: Start, address: str, host: int) -> subprocess.Popen[bytes]:
    """Start a worker on a loopback address."""
    where = ("--host", f"127.0.0.{host}", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    return start("dask", "worker", address, *where)


def wait_for(path: str) -> None:
    """Wait until a file has something in it."""
    for _ in range(600):
        if any(Path().glob(path)):
            return
        time.sleep(0.1)
    raise AssertionError(f"there is no {path}")


def rounds() -> dict[str, tuple[str, int]]:
    """Return the state and the rounds of each run."""
    records = {path.parent.name: json.loads(path.read_text()) for path in Path("fleet").glob("*/run.json")}
    return {name: (record["status"], record["rounds"]) for name, record in sorted(records.items())}


def test_a_worker_and_a_client_that_are_killed_cost_nothing_that_was_finished(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    address, workers = cluster(start)
    time.sleep(5)
    client = start("actbench", "fleet", "run", *SELECTED, "--scheduler", address, "-o", "fleet", "-q")
    wait_for("fleet/kind1-host3/journal.jsonl")
    workers[3].send_signal(signal.SIGKILL)
    client.send_signal(signal.SIGKILL)
    client.wait()
    kept = rounds()
    worker(start, address, 7)
    time.sleep(5)
    resumed = start("actbench", "fleet", "run", "--resume", "fleet", "--scheduler", address, "-q")
    assert resumed.wait(timeout=120) == 0
    assert rounds() == dict.fromkeys(("kind1-host1", "kind1-host2", "kind1-host3"), ("complete", 12))
    assert kept.keys() == rounds().keys()
