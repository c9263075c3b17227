"""A limit on the time that the user's own code takes in this process, kept by an alarm of the operating system."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from actbench.errors import ExitCode

SECONDS = 60.0
"""For loading a file, and for evaluating it at `POINTS` z: what a worker gets for a request by default.

Importing torch from a slow disk takes half of it; the truth about a built-in activation takes a tenth.
"""

POINTS = 1000
"""More z than these get as much more time: `accuracy --points` may ask for a million."""

AGAIN = 1.0
"""Seconds after which the alarm comes again, where code has caught what it raised."""

PATIENCE = 3
"""So often it comes before the process is ended."""


class TimeUpError(BaseException):
    """The time is up: as no `Exception`, which code that tries things often catches."""


@dataclass(slots=True)
class _Alarm:
    """What the signal calls."""

    said: Callable[[], str]
    alarms: int = 0
    armed: bool = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise in whatever is running; end the process where that goes on all the same."""
        del number, frame
        if not self.armed:
            return
        self.alarms += 1
        if self.alarms > PATIENCE:
            os.write(2, f"actbench: {self.said()}\n".encode(errors="backslashreplace"))
            os._exit(ExitCode.BAD_INPUT)
        raise TimeUpError


@contextmanager
def limited(seconds: float, said: Callable[[], str]) -> Iterator[None]:
    """Raise `TimeUpError` after `seconds`; where that does not help, print what `said` gives, and end the process.

    Only the main thread can be interrupted: there is no limit in others. Nor can a single call into compiled code be.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    alarm = _Alarm(said)
    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        try:
            yield
        finally:
            alarm.armed = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
