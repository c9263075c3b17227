"""Workers of a live check that are started in threads, on several processors, from which they move to their own.

Starting three workers takes longer than timing what a check usually has; nothing is timed meanwhile. They start on
processors that share the last-level cache, so that their memory is as near from where they are timed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import cycle

from actbench.engine.launch import Launch, Worker, WorkerOptions
from actbench.errors import BenchmarkError
from actbench.host import environment


def places_to_start(options: WorkerOptions) -> tuple[int, ...]:
    """Return the processors on which workers with these options may start at once; none where they must not move.

    A worker of several threads, or one that is not pinned, stays where it starts.
    """
    if options.cpu is None or options.threads > 1 or options.together:
        return ()
    near = environment.neighbours(options.cpu)
    return (options.cpu, *near) if near else ()


class EarlyStarts:
    """Starts workers before they are needed, at most one of each launch."""

    def __init__(self, processors: Sequence[int]) -> None:
        """Start nothing yet; workers start on these processors in turns."""
        self._processors = cycle(processors)
        self._threads = ThreadPoolExecutor(len(processors), "start")
        self._started: dict[Launch, Future[Worker]] = {}

    def begin(self, launches: Iterable[Launch]) -> None:
        """Begin to start a worker of each launch that has none, in this order."""
        for launch in launches:
            if launch not in self._started:
                elsewhere = replace(launch, options=replace(launch.options, cpu=next(self._processors)))
                self._started[launch] = self._threads.submit(elsewhere.start)

    def early(self, launch: Launch) -> Launch:
        """Return a launch whose first worker is the one that `begin` started; `BenchmarkError` where that failed."""
        return Launch(lambda _: self._take(launch), launch.options)

    def close(self) -> None:
        """End the workers that nobody took."""
        for started in self._started.values():
            if not started.cancel():
                with suppress(BenchmarkError):
                    started.result().close()
        self._started.clear()
        self._threads.shutdown()

    def _take(self, launch: Launch) -> Worker:
        started = self._started.pop(launch, None)
        if started is None:
            return launch.start()
        worker = started.result()
        assert launch.options.cpu is not None  # noqa: S101  # workers that are not pinned are not started so
        worker.move_to(launch.options.cpu)
        return worker
