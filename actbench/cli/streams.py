"""The standard streams of the process: a failed write to stdout is an error, one to stderr is ignored.

Data that is lost must show in the exit code; a message that is lost must not change it. A descriptor that is closed is
filled at once: or the next file that is opened, a run's values perhaps, would get its number, and whatever a library
prints.
"""

from __future__ import annotations

import os
import select
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, TextIO

from actbench.errors import ClosedPipeError, OutputError, reason

STDIN, STDOUT, STDERR = range(3)

PLUGS = {STDIN: os.O_RDONLY, STDOUT: os.O_RDONLY, STDERR: os.O_WRONLY}
"""How the null device is opened in place of a closed descriptor: it reads as empty, stdout refuses to be written."""


class _Messages(FileIO):
    """A descriptor that takes everything: what cannot be written is dropped."""

    lost = False

    def write(self, data: Any) -> int:
        """Write, as soon as a descriptor that does not block has room."""
        if self.lost:
            return len(data)
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            self.lost = True
            self._lose(error)
            return len(data)
        return written

    def _lose(self, error: OSError) -> None:
        """Take note of the first failure."""


class _Data(_Messages):
    """The same, but the first failure is raised: as no `OSError`, which click and rich end with 1 for a pipe."""

    def _lose(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ClosedPipeError from None
        raise OutputError(
            f"cannot write to stdout ({reason(error)}): send it to an open file, on a disk with free space"
        ) from None


def secure() -> None:
    """Take over the streams that this process began with; those that a caller put in their place stay."""
    for number, mode in PLUGS.items():
        _plug(number, mode)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Data(STDOUT, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Messages(STDERR, "w", closefd=False), sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ± gets a question mark


def flush() -> None:
    """Write what is buffered; `OutputError` or `ClosedPipeError` when that cannot be."""
    sys.stderr.flush()
    sys.stdout.flush()


def _plug(number: int, mode: int) -> None:
    """Open the null device where a descriptor is closed: it gets the lowest number that is free, which is this one."""
    try:
        os.fstat(number)
    except OSError:
        os.set_inheritable(os.open(os.devnull, mode), True)  # its own signature


def _text(raw: FileIO, like: TextIO | None) -> TextIOWrapper:
    encoding = getattr(like, "encoding", None) or "utf-8"
    return TextIOWrapper(BufferedWriter(raw), encoding=encoding, line_buffering=raw.isatty())
