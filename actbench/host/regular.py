"""Reading regular files only: opening or reading a pipe, a terminal or a device may block for ever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST_FILE = 1 << 31
"""Bytes. No file that actbench reads is larger."""


def read(path: Path) -> bytes:
    """Return the contents of a regular file, or of one that a link leads to; `OSError` for anything else.

    It never blocks.
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
    if status.st_size > LARGEST_FILE:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST_FILE >> 30} GiB")
