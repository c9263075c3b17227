"""Workers of a round that start at once, on several processors."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import pytest

from actbench.engine.client import WorkerProcess
from actbench.engine.launch import Launch, Worker, WorkerOptions
from actbench.engine.live.starting import EarlyStarts
from actbench.engine.protocol import Describe
from actbench.engine.session import start_process
from actbench.errors import BenchmarkError
from actbench.host import environment

TIMEOUT = 60.0


def pinned(worker: Worker) -> tuple[int, set[int]]:
    """Return the process of a worker, and where it may run."""
    assert isinstance(worker, WorkerProcess)
    process = worker._process.pid
    return process, os.sched_getaffinity(process)


@pytest.fixture
def processors() -> list[int]:
    cpu = environment.choose_cpu(None)
    near = [] if cpu is None else environment.neighbours(cpu)
    if cpu is None or not near:
        pytest.skip("there is no second processor that shares the last-level cache")
    return [cpu, *near]


@pytest.fixture
def starts(processors: list[int]) -> Iterator[EarlyStarts]:
    early = EarlyStarts(processors)
    yield early
    early.close()


def launches_on(cpu: int) -> list[Launch]:
    return [Launch(start_process, WorkerOptions(cpu, TIMEOUT, role)) for role in ("one", "two")]


def test_workers_are_where_they_are_timed_whatever_processor_they_started_on(
    starts: EarlyStarts, processors: list[int]
) -> None:
    launches = launches_on(processors[0])
    starts.begin(reversed(launches))
    workers = [starts.early(launch).start() for launch in launches]
    try:
        processes, places = zip(*map(pinned, workers), strict=True)
        assert places == ({processors[0]}, {processors[0]})
        assert len({*processes}) == 2
        assert all(worker.ask(Describe()).versions for worker in workers)
    finally:
        for worker in workers:
            worker.close()


def test_workers_that_nobody_took_are_ended(starts: EarlyStarts, processors: list[int]) -> None:
    before = {child.pid for child in psutil.Process().children()}
    starts.begin(launches_on(processors[0]))
    starts.close()
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_worker_that_cannot_be_started_fails_where_it_is_taken() -> None:
    def failing(options: WorkerOptions) -> Worker:
        raise BenchmarkError(f"no {options.role}")

    launch, starts = Launch(failing, WorkerOptions(0, TIMEOUT, "memory")), EarlyStarts([0, 1])
    starts.begin([launch])
    with pytest.raises(BenchmarkError, match="no memory"):
        starts.early(launch).start()
    starts.begin([launch])
    starts.close()
