"""Calls of a function of many z, none of which takes long: a slow function has smaller calls, and fewer z."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from actbench.kernels.operands import Array

AT_ONCE = 1 << 18
"""Most z of a call: a kernel that is compiled for every size has one more size."""

PROBED = 512
"""Number of z of the call that shows how slow a function is."""

CALL_SECONDS = 2.0
"""A call of more z takes no longer than about this."""

SECONDS = 20.0
"""What all z of a request take at most; of more, every so many are called."""


class PacedCalls:
    """A function of z, and how long it takes for one."""

    def __init__(self, call: Callable[[Array], Array], clock: Callable[[], float] = perf_counter) -> None:
        """Take a function, and a clock of seconds."""
        self._call, self._clock = call, clock
        self._seconds: float | None = None

    def at(self, z: Array) -> tuple[int, Array]:
        """Return a step, and the results at z[::step]: 1, and more where all z would take too long."""
        parts = []
        if self._seconds is None:
            parts = self._probed(z)
        start, seconds = PROBED * len(parts), self._seconds or 0.0
        step = max(1, int(np.ceil(seconds * z.size / SECONDS)))
        if step > 1:
            parts, start = [], 0
        called, size = z[::step], min(AT_ONCE, max(1, int(CALL_SECONDS / max(seconds, 1e-12))))
        parts += [self._call(called[one : one + size]) for one in range(start, max(called.size, 1), size)]
        return step, np.concatenate(parts)

    def _probed(self, z: Array) -> list[Array]:
        """Return the results at the first z: twice as many where a first call, which may have to compile, is slow."""
        parts = []
        for place in range(0, min(2 * PROBED, z.size - PROBED + 1), PROBED):
            start = self._clock()
            parts.append(self._call(z[place : place + PROBED]))
            self._seconds = (self._clock() - start) / PROBED
            if self._seconds * AT_ONCE <= CALL_SECONDS:
                break
        return parts
