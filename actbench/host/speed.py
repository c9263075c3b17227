"""How fast this host executes Python, beside the host that the figures of `actbench.planning.durations` come from."""

from __future__ import annotations

import time
from functools import cache

STEPS = 20_000
"""Additions and multiplications of one measurement."""

REFERENCE = 0.0005
"""Seconds that these take on that host."""

REPEATS = 10


@cache
def slowness() -> float:
    """Return the factor by which Python takes longer here.

    It is of processor time, which other processes hardly change, and of the fastest of some measurements, which take
    some milliseconds together.
    """
    return min(_seconds() for _ in range(REPEATS)) / REFERENCE


def _seconds() -> float:
    start = time.process_time()
    sum(number * number for number in range(STEPS))
    return time.process_time() - start
