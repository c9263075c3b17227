"""The memory that this process may use: the machine's, or less where a control group limits it, as in a container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import psutil

GROUPS = Path("/proc/self/cgroup")
"""The control groups of this process: one line for all controllers (version 2), or one for each (version 1)."""

MOUNTED = Path("/sys/fs/cgroup")
"""Where control groups are mounted."""


def machine() -> int:
    """Return this machine's memory in bytes."""
    return int(psutil.virtual_memory().total)


def usable() -> int:
    """Return the bytes of memory that this process may use: the least limit of its control groups, if there is one.

    What is in use already does not count, so that plans do not depend on the moment.
    """
    return min([machine(), *_limits()])


def _limits() -> Iterator[int]:
    """Yield the limits of the control groups of this process and of those above them."""
    for directory, name in _files():
        for group in (directory, *directory.parents):
            if group.is_relative_to(MOUNTED) and (limit := _read(group / name)).isdecimal():
                yield int(limit)  # version 2 has "max" where there is no limit, version 1 a number beyond all memory


def _files() -> Iterator[tuple[Path, str]]:
    """Yield the directory of a control group that may limit memory, and the name of the file with the limit."""
    for line in _read(GROUPS).splitlines():
        _, controllers, group = line.split(":", maxsplit=2)
        below = PurePosixPath(group).relative_to("/")
        if not controllers:
            yield MOUNTED / below, "memory.max"
        elif "memory" in controllers.split(","):
            yield MOUNTED / "memory" / below, "memory.limit_in_bytes"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
