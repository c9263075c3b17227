"""Whether a process that takes long is hung, or waits for a processor that other processes use.

A process and its children, such as compilers, are told apart by what they used and what they wait for: one that could
go on if it had a processor is not hung before it has used as much processor time as it was allowed in all.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

MOST_PATIENCE = 10.0
"""Factor by which a process that waits for a processor may exceed its time."""

RUNNABLE = frozenset({psutil.STATUS_RUNNING, psutil.STATUS_STOPPED})
"""The states of a process that waits for nothing but a processor; it is stopped by what limits its share of one."""

LOOKS = 5
"""Number of looks at these states, since a process that computes may wait for a moment."""

LOOK_SECONDS = 0.01
"""Time between two of them."""


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
        for _ in range(LOOKS):
            if any(_status(process) in RUNNABLE for process in self._tree()):
                return True
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
