"""Signals to end act as Ctrl-C: finished work is kept, and open files are closed."""

from __future__ import annotations

import signal
from types import FrameType


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM and, where it is not ignored as under nohup, SIGHUP raise `KeyboardInterrupt`."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def take_ctrl_c() -> None:
    """Let SIGINT raise from a function here, which distinguishes it from a KeyboardInterrupt of the user's code.

    Where SIGINT is ignored, as in the background of a shell, it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise KeyboardInterrupt
