"""How long the threads of other processes work."""

from __future__ import annotations

from pathlib import Path


def ticks(thread: Path) -> int:
    """Return the hundredths of a second that a thread has had a processor: fields 14 and 15 of proc_pid_stat(5)."""
    fields = (thread / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
