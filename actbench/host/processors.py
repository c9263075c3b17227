"""Pinning: one processor for the thread that measures, and one for each of its helper threads.

A process is pinned before numpy and numba are imported. Threads that these start later inherit the one processor, and
would take turns on it; `spread` gives them other processors once they exist.

Libraries with a pool of threads that they start themselves, a BLAS, torch or jax, have one thread, or as many as
`share` says.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOTSUP
from functools import cache
from itertools import cycle
from pathlib import Path

TASKS = Path("/proc/self/task")
"""Where Linux lists the threads of this process."""

DESCRIPTION = Path("/proc/cpuinfo")
"""Where Linux describes the processors."""

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Variables from which libraries of matrix products take the number of their threads when they are imported."""

_allotted: list[int] = []

_shared: list[int] = []
"""The number of threads that libraries have, where it is not one."""


@dataclass(frozen=True, slots=True)
class Description:
    """A processor, as Linux on x86-64 describes it; elsewhere nothing is known."""

    vendor: str = ""
    """``GenuineIntel`` for one."""
    family: int = 0
    model: int = 0
    flags: frozenset[str] = frozenset()
    """What it can do, such as ``avx512f``."""

    @classmethod
    def parse(cls, text: str) -> Description:
        """Read the first processor of the system's description."""
        fields: dict[str, str] = {}
        for line in text.splitlines():
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.strip(), value.strip())
        family, model = (_number(fields.get(name, "")) for name in ("cpu family", "model"))
        return cls(fields.get("vendor_id", ""), family, model, frozenset(fields.get("flags", "").split()))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


@cache
def description() -> Description:
    """Return what the system says of the processors."""
    try:
        return Description.parse(DESCRIPTION.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return Description()


def vendor() -> str:
    """Return who makes the processor, as Linux on x86-64 says it, "GenuineIntel" for one; elsewhere an empty string."""
    return description().vendor


def pin(first: int, threads: int, *, together: bool = False) -> None:
    """Pin the calling thread, and all that it starts later, to processor `first`; reserve others for `spread`.

    With `together`, pin them to all of these processors instead, for good: a BLAS starts as many threads as the process
    has processors when it is imported, and several pools, of which one works at a time, are best left to the system.
    `OSError` where the system cannot pin (macOS).
    """
    if not hasattr(os, "sched_setaffinity"):
        raise OSError(ENOTSUP, "this system cannot pin a process to a processor")
    others = sorted(os.sched_getaffinity(0) - {first})
    processors = [first, *others][:threads]
    _allotted[:] = [] if together else processors
    os.sched_setaffinity(0, {*processors} if together else {first})


def move(process: int, cpu: int) -> None:
    """Pin all threads of a process and of its children to another processor, whether it still exists or not."""
    import psutil  # which workers may not have

    with suppress(psutil.Error, OSError):
        parent = psutil.Process(process)
        for one in (parent, *parent.children(recursive=True)):
            for thread in one.threads():
                os.sched_setaffinity(thread.id, {cpu})


def spread() -> None:
    """Pin every helper thread to another processor, where `pin` reserved more than one."""
    if len(_allotted) < 2 or not TASKS.is_dir() or not hasattr(os, "sched_setaffinity"):
        return
    caller, *helpers = sorted(int(task.name) for task in TASKS.iterdir())
    for thread, cpu in zip(helpers, cycle([*_allotted[1:], *_allotted[:1]]), strict=False):
        os.sched_setaffinity(thread, {cpu})
    os.sched_setaffinity(caller, {_allotted[0]})


def share(threads: int) -> None:
    """Let libraries have so many threads in this process, from now on; before these are imported."""
    _shared[:] = [threads]
    os.environ.update(dict.fromkeys(POOLS, str(threads)))


def threads_of_libraries() -> int:
    """Return the number of threads that a library with a pool of its own has in this process."""
    return _shared[0] if _shared else 1
