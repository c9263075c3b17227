"""The workers of a round of a live check, started at once on several processors, from which they move to their own.

Starting three workers takes longer than timing what a check usually has, and nothing is timed meanwhile. They start on
processors that share the last-level cache, so that their memory is as near from where they are timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial

from actbench.errors import BenchmarkError
from actbench.host import environment
from actbench.measure.launch import Launch, Worker, WorkerOptions


def places_to_start(options: WorkerOptions) -> tuple[int, ...]:
    """Return the processors on which workers with these options may start at once; none where they must not move.

    A worker of several threads, or one that is not pinned, stays where it starts.
    """
    if options.cpu is None or options.threads > 1 or options.together:
        return ()
    near = environment.neighbours(options.cpu)
    return (options.cpu, *near) if near else ()


class ParallelStarts:
    """Starts one worker for each launch at once; each launch may start more of them one by one."""

    def __init__(self, launches: Sequence[Launch], processors: Sequence[int]) -> None:
        """Start nothing yet; workers start on these processors in turns, and move to those of their launches."""
        self._launches = tuple(launches)
        self._processors = tuple(processors)
        self._threads = ThreadPoolExecutor(len(self._processors), "start")
        self._started: dict[int, Future[Worker]] = {}

    @property
    def launches(self) -> tuple[Launch, ...]:
        """The launches, whose first workers are those that `begin` started."""
        return tuple(Launch(partial(self._start, index), launch.options) for index, launch in enumerate(self._launches))

    def begin(self, order: Sequence[int]) -> None:
        """Begin to start a worker for each launch, in an order of their indices."""
        self._discard()
        for turn, index in enumerate(order):
            launch, processor = self._launches[index], self._processors[turn % len(self._processors)]
            elsewhere = replace(launch, options=replace(launch.options, cpu=processor))
            self._started[index] = self._threads.submit(elsewhere.start)

    def close(self) -> None:
        """End the workers that nobody took."""
        self._discard()
        self._threads.shutdown()

    def _start(self, index: int, options: WorkerOptions) -> Worker:
        started = self._started.pop(index, None)
        if started is None:
            return self._launches[index].start()
        worker = started.result()
        assert options.cpu is not None  # noqa: S101  # workers that are not pinned are not started so
        worker.move_to(options.cpu)
        return worker

    def _discard(self) -> None:
        for started in self._started.values():
            if not started.cancel():
                with suppress(BenchmarkError):
                    started.result().close()
        self._started.clear()
