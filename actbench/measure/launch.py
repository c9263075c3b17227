"""Workers of the conductor: how one is started, is sent requests, and is replaced when it is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from actbench.errors import BenchmarkError
from actbench.measure.wire import A, Request

RETRIES = 1
"""How often a block may lose its worker, or fail, and is tried again: in a session of a run, or in a check."""

ROLE = "worker"
"""What errors call a worker that has no other role."""


class WorkerLostError(BenchmarkError):
    """The worker crashed, or hung and was killed."""


class NotLoadedError(BenchmarkError):
    """A worker could not load the user's own code."""


class Worker(Protocol):
    """A process that answers requests."""

    def ask(self, request: Request[A]) -> A:
        """Return the answer; `WorkerLostError` when the worker has ended, `BenchmarkError` when the request raised."""

    def close(self) -> None:
        """End the worker."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """With what a worker is started."""

    cpu: int | None
    """The processor that it is pinned to; None where it is not."""
    timeout: float
    """Seconds that each request may take."""
    role: str = ROLE
    """What errors call it."""
    threads: int = 1
    """For the backends that have several."""


StartWorker = Callable[[WorkerOptions], Worker]
"""Start a worker in an environment, and wait until it is ready; `BenchmarkError` when it cannot be."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A worker that can be started, as often as it takes: its environment and its options."""

    start_worker: StartWorker
    options: WorkerOptions

    def start(self) -> Worker:
        """Start a worker."""
        return self.start_worker(self.options)


class RestartingWorker:
    """One worker at a time, started when it is needed, again when it was ended, and ended on leaving."""

    def __init__(self, launch: Launch) -> None:
        """Start nothing yet."""
        self._launch = launch
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        """Begin without a worker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the worker."""
        self.end()

    def get(self) -> Worker:
        """Return the worker, started when there is none."""
        if self._worker is None:
            self._worker = self._launch.start()
        return self._worker

    def end(self) -> None:
        """End the worker; the next one is fresh."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
