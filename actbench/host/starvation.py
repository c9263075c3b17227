"""Whether a process that takes long is hung, or waits for a processor that other processes use.

A process and its children, such as compilers, are told apart by what they used and what they wait for: one that could
go on if it had a processor is not hung before it has used as much processor time as it was allowed in all.

What limits the share of a processor, as cpulimit does, stops a process and lets it go on many times a second. A process
that stays stopped has stopped itself.
"""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import count

import psutil

MOST_PATIENCE = 10.0
"""Factor by which a process that waits for a processor may exceed its time."""

LOOKS = 5
"""Number of looks at the state of a process, since one that computes may wait for a moment."""

LOOK_SECONDS = 0.01
"""Time between two of them."""

STOPPED_SECONDS = 1.0
"""Time within which a stopped process goes on if something limits its share of a processor."""


class ProcessorTime:
    """The processor time that a process and its children use from now on."""

    def __init__(self, pid: int) -> None:
        """Start now."""
        self._pid = pid
        self._start = time.monotonic()
        self._used = self._total()

    @property
    def used(self) -> float:
        """Seconds of processor time."""
        return max(0.0, self._total() - self._used)

    def __str__(self) -> str:
        """``5.2 s with 98 % of a processor``."""
        elapsed = time.monotonic() - self._start
        return f"{elapsed:.3g} s with {100 * self.used / max(elapsed, 1e-9):.0f} % of a processor"

    def patience(self, allowed: float) -> float:
        """Return for how many more seconds a process that had the `allowed` ones deserves to be waited for."""
        missing = min(allowed - self.used, self._start + MOST_PATIENCE * allowed - time.monotonic())
        return missing if missing > 0 and self._runnable() else 0.0

    def _runnable(self) -> bool:
        """Return whether one of the processes runs, or would if it had a processor."""
        start, used = time.monotonic(), self._total()
        for look in count(1):
            states = {*map(_status, self._tree())}
            if psutil.STATUS_RUNNING in states or self._total() > used:
                return True
            stopped = psutil.STATUS_STOPPED in states
            if time.monotonic() > start + STOPPED_SECONDS if stopped else look >= LOOKS:
                break
            time.sleep(LOOK_SECONDS)
        return False

    def _tree(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            process = psutil.Process(self._pid)
            return [process, *process.children(recursive=True)]
        return []

    def _total(self) -> float:
        """Return the seconds of all of them, and of children that have ended."""
        return sum(map(_seconds, self._tree()))


def _status(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return process.status()
    return psutil.STATUS_DEAD


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
