"""The processors of this process: one for the thread that measures, and one for each that works for it.

A process is pinned before numpy and numba are imported. Threads that these start later inherit the one processor, and
would take turns on it; so they are spread over the others once they are there.
"""

from __future__ import annotations

import os
from errno import ENOTSUP
from itertools import cycle
from pathlib import Path

TASKS = Path("/proc/self/task")
"""Where Linux lists the threads of this process."""

_allotted: list[int] = []


def pin(first: int, threads: int) -> None:
    """Keep the calling thread, and what is started from now on, on processor `first`; allot others to its helpers.

    `OSError` where the system cannot pin (macOS).
    """
    if not hasattr(os, "sched_setaffinity"):
        raise OSError(ENOTSUP, "this system cannot pin a process to a processor")
    others = sorted(os.sched_getaffinity(0) - {first})
    os.sched_setaffinity(0, {first})
    _allotted[:] = [first, *others][:threads]


def spread() -> None:
    """Give each helper thread a processor of its own, where more than one is allotted."""
    if len(_allotted) < 2 or not TASKS.is_dir() or not hasattr(os, "sched_setaffinity"):
        return
    caller, *helpers = sorted(int(task.name) for task in TASKS.iterdir())
    for thread, cpu in zip(helpers, cycle([*_allotted[1:], *_allotted[:1]]), strict=False):
        os.sched_setaffinity(thread, {cpu})
    os.sched_setaffinity(caller, {_allotted[0]})
