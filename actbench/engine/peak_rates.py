"""The peak rates of one core, measured by a worker that is pinned like any other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from actbench.analysis.peak_rates import PeakRate, VectorWidth, arithmetic, copying, unknown_arithmetic
from actbench.backends.numba import Numba
from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.protocol_limits import MeasureLimits
from actbench.host.environment import Environment

LOOP_REPEATS = 12
"""Number of repeats of every loop and copy; six are the fewest that give an interval."""

L2_SHARE = 4
"""The smaller array takes one part in this many of the L2 cache, so that it fits with its copy."""

L2 = 1 << 19
"""Bytes of an L2 cache where the system does not report them."""

OUT_OF_CACHE_BYTES = 1 << 26
"""Bytes of the larger array: with its copy, more than most caches."""

TIMEOUT = 60.0
"""Seconds, including compilation."""


def limits(start_worker: StartWorker, environment: Environment) -> list[PeakRate]:
    """Measure in a fresh process on the environment's processor: arithmetic by dtype, then copies."""
    worker = start_worker(WorkerOptions(environment.affinity, TIMEOUT))
    try:
        measured = worker.ask(
            MeasureLimits((environment.caches.get("L2", L2) // L2_SHARE, OUT_OF_CACHE_BYTES), LOOP_REPEATS)
        )
    finally:
        worker.close()
    computed = groupby(measured.arithmetic, attrgetter("dtype"))
    roofs = [arithmetic(dtype, [VectorWidth(width.bits, width.rates) for width in group]) for dtype, group in computed]
    return [*(roofs or _unknown()), *(copying(copy.nbytes, copy.rates, environment.caches) for copy in measured.copies)]


def _unknown() -> Iterator[PeakRate]:
    yield unknown_arithmetic(Numba().unavailable or "the worker has no numba")
