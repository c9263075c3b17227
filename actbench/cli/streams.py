"""The standard streams of the process: a failed write to stdout is an error, one to stderr is ignored.

Lost data must show in the exit code; a lost message must not change it. A closed descriptor is replaced at once:
otherwise the next opened file, perhaps a run's values, would get its number, and with it everything that a library
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
"""Mode of the null device that replaces a closed descriptor: stdin reads as empty, writes to stdout fail."""


class _Messages(FileIO):
    """A descriptor that accepts everything: data that cannot be written are dropped."""

    lost = False

    def write(self, data: Any) -> int:
        """Write as soon as a non-blocking descriptor has room."""
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
        """Record the first failure."""


class _Data(_Messages):
    """The same, but the first failure is raised, not as an `OSError`, for which click and rich exit with 1."""

    def _lose(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ClosedPipeError from None
        raise OutputError(
            f"cannot write to stdout ({reason(error)}): send it to an open file, on a disk with free space"
        ) from None


def secure() -> None:
    """Take over the original streams of this process; those that a caller has replaced stay."""
    for number, mode in PLUGS.items():
        _plug(number, mode)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Data(STDOUT, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Messages(STDERR, "w", closefd=False), sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± gets a question mark


def flush() -> None:
    """Flush the buffers; `OutputError` or `ClosedPipeError` where that fails."""
    sys.stderr.flush()
    sys.stdout.flush()


def _plug(number: int, mode: int) -> None:
    """Open the null device in place of a closed descriptor, whose number is the lowest free one."""
    try:
        os.fstat(number)
    except OSError:
        os.set_inheritable(os.open(os.devnull, mode), True)  # its own signature


def _text(raw: FileIO, like: TextIO | None) -> TextIOWrapper:
    encoding = getattr(like, "encoding", None) or "utf-8"
    return TextIOWrapper(BufferedWriter(raw), encoding=encoding, line_buffering=raw.isatty())
