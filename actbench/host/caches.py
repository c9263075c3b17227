"""The capacity of the last-level cache: the system's word, or a measured one where that is not credible."""

from __future__ import annotations

from time import perf_counter

import numpy as np

CREDIBLE = 64 << 20
"""Bytes: what one processor can use of a last-level cache is seldom more, whatever a virtual machine reports."""

LINE = 64
"""Bytes of a cache line."""

SMALLEST, LARGEST = 1 << 20, 1 << 29
"""Bytes of the arrays that are read: in a cache, and beyond every cache."""

LOOKUPS = 1 << 17
"""Lines read of an array at a time, chosen at random: others each time, so that they lie where the array lies."""

REPEATS = 5

FROM_MEMORY = 0.8
"""The share of the time that a line takes from memory, from which on an array is taken to lie there."""


def last_level(reported: dict[str, int], memory: int) -> int:
    """Return the bytes of the last-level cache of this processor, given what the system reports by level.

    Where it reports nothing, or more than `CREDIBLE`, it is measured, which takes some tenths of a second; a measured
    capacity replaces a larger reported one. `memory` is the machine's, in bytes.
    """
    capacity = max(reported.values(), default=0)
    if 0 < capacity <= CREDIBLE:
        return capacity
    measured_capacity = measured(min(LARGEST, memory // 8))
    return min(capacity, measured_capacity) if capacity else measured_capacity


def plausible(reported: dict[str, int]) -> int:
    """Return the bytes of the last-level cache by the system's word, but `CREDIBLE` at most; also where it has none."""
    return min(max(reported.values(), default=CREDIBLE), CREDIBLE)


def measured(largest: int) -> int:
    """Return the size in bytes of the smallest array whose lines take as long as from memory: a power of two.

    So the cache is not larger than that. Lines are read in random order, which prefetchers do not learn.
    """
    sizes = [SMALLEST << power for power in range((largest // SMALLEST).bit_length())]
    seconds = [seconds_per_line(size) for size in sizes]
    return next(size for size, time in zip(sizes, seconds, strict=True) if time >= FROM_MEMORY * seconds[-1])


def seconds_per_line(nbytes: int) -> float:
    """Return what reading a line of an array of so many bytes takes, in random order: the least of `REPEATS`."""
    rng = np.random.default_rng(0)
    array, out = np.ones(nbytes // 8), np.empty(LOOKUPS)

    def once() -> float:
        places = rng.integers(nbytes // LINE, size=LOOKUPS) * (LINE // array.itemsize)
        start = perf_counter()
        np.take(array, places, out=out, mode="clip")
        return perf_counter() - start

    return min(once() for _ in range(REPEATS)) / LOOKUPS
