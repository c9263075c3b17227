"""Real schedulers, workers and clients, which end with the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.selections import record

Process = subprocess.Popen[bytes]

LONGEST = 300.0
"""Seconds: hosts of continuous integration are slow to start Python."""

WAIT = """
import sys
from distributed import Client
Client(sys.argv[1], timeout=120).wait_for_workers(int(sys.argv[2]), 120)
"""


@dataclass
class Processes:
    """What was started."""

    started: list[Process] = field(default_factory=list)

    def start(self, *words: str, within: Sequence[str] = (), python: str | Path = sys.executable) -> Process:
        """Run a module; `within` is the command that runs it elsewhere."""
        self.started.append(subprocess.Popen([*within, python, "-m", *words], stderr=subprocess.DEVNULL))
        return self.started[-1]

    def scheduler(self, host: str, port: int, within: Sequence[str] = ()) -> Process:
        """Start a scheduler."""
        return self.start("dask", "scheduler", "--host", host, "--port", str(port), "--no-dashboard", within=within)

    def worker(
        self, address: str, host: str, within: Sequence[str] = (), python: str | Path = sys.executable
    ) -> Process:
        """Start a worker with an address of its own."""
        where = ("--host", host, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        return self.start("dask", "worker", address, *where, within=within, python=python)

    def cluster(self) -> str:
        """Start a scheduler on a free port of this machine, and return its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.scheduler("127.0.0.1", port)
        return f"tcp://127.0.0.1:{port}"

    def end(self) -> None:
        """Kill all of them."""
        for process in self.started:
            process.kill()
            process.wait()


def settle(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is started be in a directory, with what is imported here, and with locks of its own."""
    temporary = directory / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("TMPDIR", str(temporary))


def wait_for_workers(address: str, count: int, within: Sequence[str] = ()) -> None:
    """Wait until so many workers have come."""
    subprocess.run([*within, sys.executable, "-c", WAIT, address, str(count)], check=True, timeout=LONGEST)


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + LONGEST
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def reached(number: int) -> int:
    """Return how many runs of the fleet have so many rounds."""
    return sum(done >= number for _, done in rounds().values())


def rounds() -> dict[str, tuple[str, int]]:
    """Return the state and the rounds of each run of the fleet."""
    records: dict[str, Any] = {path.parent.name: record(path.parent) for path in Path("fleet").glob("*/run.json")}
    return {name: (one["status"], one["rounds"]) for name, one in sorted(records.items())}
