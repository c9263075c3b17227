"""A process that keeps the workers' processor busy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from actbench.host.environment import choose_cpu


@contextmanager
def neighbour(*, busy: bool) -> Iterator[None]:
    """Keep the processor of the workers busy with another process, if asked."""
    if not busy:
        yield
        return
    cpu = choose_cpu(None)
    code = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\nwhile os.getppid() == {os.getpid()}:\n    sum(range(10000))"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        process.kill()
        process.wait()
