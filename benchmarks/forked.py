"""Workers that are forked from a process which has imported everything, to be compared with fresh ones.

Forked workers share what a process draws once: the seed of hashes, the addresses of libraries and of the heap, and all
memory that none of them writes to. Like any worker they move code and operands, and load compiled kernels themselves.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Self

from actbench.engine import protocol
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import Worker, WorkerOptions
from actbench.errors import BenchmarkError

ROOT = Path(__file__).parents[1]


class Zygote:
    """A process from which workers are forked, as long as the context lasts."""

    def __init__(self, place: Path, cpu: int | None) -> None:
        """Start it; its socket is `place`."""
        self._place = place
        command = [sys.executable, "-m", "benchmarks.zygote", str(place), "" if cpu is None else str(cpu)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, env=dict(here().variables), cwd=ROOT)
        while not place.exists():
            if self._process.poll() is not None:
                raise BenchmarkError("the process to fork from has ended")
            time.sleep(0.01)

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        assert self._process.stdin is not None  # it is a pipe
        self._process.stdin.close()
        self._process.wait()
        self._place.unlink()

    def fork(self, options: WorkerOptions) -> Worker:
        """Fork a worker, as `actbench.engine.launch.StartWorker` starts one."""
        return ForkedWorker(options, self._place)


class ForkedWorker(WorkerProcess):
    """A forked worker; it differs from other ones in how it is started and waited for."""

    def __init__(self, options: WorkerOptions, place: Path) -> None:
        """Connect to the process to fork from, and wait until the worker is ready."""
        self.timeout = options.timeout
        self._role = options.role
        self._pending = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(place))
        self._stdin, self._stdout = self._socket.makefile("wb"), self._socket.makefile("rb", buffering=0)  # type: ignore[assignment]
        self._process = SimpleNamespace(pid=int(self._stdout.readline()))  # type: ignore[assignment]
        self.ask(protocol.Start(options.cpu, options.threads, options.together))

    def close(self) -> None:
        """End the process, by ending its input, and wait until it has ended."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._socket.recv(1 << 16):
            pass
        for file in (self._stdin, self._stdout, self._socket):
            file.close()
