"""Reading a file that somebody names: a regular one alone.

A pipe, a terminal or a device may never end, or never begin; opening one may wait for ever.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 1 << 31
"""Bytes: more than any file that actbench reads has."""


def read(path: Path) -> bytes:
    """Return what is in a regular file, or in one that a link leads to; `OSError` where it is another thing.

    It never waits for somebody at the other end.
    """
    _require_regular(os.stat(path))  # noqa: PTH116  # before it is opened: opening some devices does something
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        _require_regular(os.fstat(handle))
        return file.read()


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if status.st_size > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST >> 30} GiB")
