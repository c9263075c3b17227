"""As a script, the process that workers are forked from: it imports all, listens on a socket, and forks at connections.

python -m benchmarks.zygote SOCKET [CPU]
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path

from actbench.engine import protocol
from actbench.engine.working import worker
from actbench.host.processors import TASKS
from actbench.model.cases import Case

BOUND_FIRST = ("identity/recompute/numpy/derivative/float64/16", "identity/recompute/numba/derivative/float64/16")
"""Kernels that are bound before forking, so that all of numpy and numba is imported; none of them is measured."""


def serve(place: str, cpu: int | None) -> None:
    """Import all, then fork a worker for every connection, until stdin ends."""
    worker.Server().answer(protocol.Start(cpu, 1))
    from actbench.kernels.resolution import resolve  # only now: thread pools are sized on import

    for name in BOUND_FIRST:
        resolve(Case.parse(name)).bound_at(16)
    if TASKS.is_dir() and len([*TASKS.iterdir()]) > 1:
        raise SystemExit("there are threads, of which a forked process would have none")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the workers
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{place}.part")
        listener.listen()
        Path(f"{place}.part").rename(place)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                os.dup2(connection.fileno(), 0)
                os.dup2(connection.fileno(), 1)
                os.write(1, f"{os.getpid()}\n".encode())
                listener.close()
                connection.close()
                worker.main()
            connection.close()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]) if sys.argv[2] else None)
