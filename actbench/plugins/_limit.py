"""A limit on the time that the user's code takes in this process, enforced by SIGALRM."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from actbench.errors import ExitCode, for_caller

SECONDS = 60.0
"""Limit for loading a file, and for evaluating it at `POINTS_IN_LIMIT` z; also a worker's default for a request.

Importing torch from a slow disk takes half of it, evaluating the truth of a built-in activation a tenth.
"""

POINTS_IN_LIMIT = 1000
"""Number of z above which the limit grows in proportion: `accuracy --points` may request a million."""

AGAIN = 1.0
"""Seconds after which the alarm repeats, because code may catch the exception."""

MOST_ALARMS = 3
"""Number of alarms before the process exits."""


class TimeUpError(BaseException):
    """The time is up. This is not an `Exception`, because code often catches those."""


@dataclass(slots=True)
class _Alarm:
    """The handler of the signal."""

    message: Callable[[], str]
    alarms: int = 0
    armed: bool = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise in the running code; after `MOST_ALARMS` alarms, exit."""
        del number, frame
        if not self.armed:
            return
        self.alarms += 1
        if self.alarms > MOST_ALARMS:
            os.write(2, f"actbench: {self.message()}\n".encode(errors="backslashreplace"))
            os._exit(for_caller(ExitCode.BAD_INPUT, sys.argv))
        raise TimeUpError


@contextmanager
def limited(seconds: float, message: Callable[[], str]) -> Iterator[None]:
    """Raise `TimeUpError` after `seconds`; where the code catches it, print `message()` and exit.

    Only the main thread can be interrupted, and not within a call into compiled code. Elsewhere there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    alarm = _Alarm(message)
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
