"""The peak rates of one core, measured by a worker that is pinned like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from actbench.analysis.peak_rates import (
    PeakRate,
    VectorWidth,
    arithmetic,
    clock,
    copying,
    pipe_bound,
    unknown_arithmetic,
    unknown_pipe_bound,
)
from actbench.backends._limits import port_model
from actbench.backends.numba import Numba
from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.protocol_limits import MeasureLimits
from actbench.host import processors
from actbench.host.environment import Environment
from actbench.model.names import Dtype

LOOP_REPEATS = 12
"""Number of repeats of every loop and copy; six are the fewest that give an interval."""

L2_SHARE = 4
"""The smaller array takes one part in this many of the L2 cache, so that it fits with its copy."""

L2 = 1 << 19
"""Bytes of an L2 cache where the system does not report them."""

OUT_OF_CACHE_BYTES = 1 << 26
"""Bytes of the larger array: with its copy, more than most caches."""

FLOPS = 2
"""Operations of a fused multiply-add."""

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
    widths = {dtype: [VectorWidth(width.bits, width.rates) for width in group] for dtype, group in computed}
    roofs = [arithmetic(dtype, of_dtype) for dtype, of_dtype in widths.items()]
    copies = (copying(copy.nbytes, copy.rates, environment.caches, copy.kind) for copy in measured.copies)
    return [*(roofs or _unknown()), *_pipe_bounds(widths, measured.cycle), *copies]


def _pipe_bounds(widths: Mapping[str, Sequence[VectorWidth]], cycle: Sequence[float]) -> Iterator[PeakRate]:
    """Yield the clock, and what the pipes for multiply-adds can do at it."""
    if not cycle:
        return
    yield clock(cycle)
    family = port_model.family(processors.description())
    if family is None:
        yield unknown_pipe_bound()
        return
    for dtype, of_dtype in widths.items():
        operations = FLOPS * family.products_a_cycle // (8 * Dtype(dtype).itemsize)
        yield pipe_bound(dtype, operations, of_dtype, cycle, f"port model of {family.name}")


def _unknown() -> Iterator[PeakRate]:
    yield unknown_arithmetic(Numba().unavailable or "the worker has no numba")
