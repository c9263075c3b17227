"""A short measurement of one case, by a worker that is pinned like any other, to hold it against its pipe bound."""

from __future__ import annotations

from actbench.engine.launch import StartWorker, WorkerOptions
from actbench.engine.protocol_limits import MeasureCall, MeasuredCall
from actbench.model.cases import Case

REPEATS = 12
"""Six are the fewest that give an interval."""

TIMEOUT = 60.0
"""Seconds, including compilation."""


def measured_call(
    start_worker: StartWorker, cpu: int | None, case: Case, sizes: tuple[int, ...], seed: int = 0
) -> MeasuredCall:
    """Measure the calls of a case, on so many elements, in a fresh process on a processor.

    Raises:
        BenchmarkError: Where that fails.
    """
    worker = start_worker(WorkerOptions(cpu, TIMEOUT))
    try:
        return worker.ask(MeasureCall(case.id, sizes, seed, REPEATS))
    finally:
        worker.close()
