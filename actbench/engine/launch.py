"""Workers as the conductor uses them: how one is started, receives requests, and is replaced when it is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol, Self

from actbench.engine.wire import A, Request
from actbench.errors import BenchmarkError

RETRIES = 1
"""Number of times that a block may lose its worker, or fail, and is tried again, in a session or a check."""

ROLE = "worker"
"""The name of a worker in errors, where it has no other role."""


class WorkerLostError(BenchmarkError):
    """The worker crashed, or hung and was killed."""


class WorkerHungError(WorkerLostError):
    """The worker exceeded its time limit, and was killed."""


def is_crash(error: BenchmarkError) -> bool:
    """Return whether an error may be by chance: the worker ended, and not for being too slow."""
    return isinstance(error, WorkerLostError) and not isinstance(error, WorkerHungError)


class UnsupportedError(BenchmarkError):
    """What is requested cannot be compiled or run in the worker's environment."""


class NotLoadedError(BenchmarkError):
    """A worker could not load the user's own code."""


class Worker(Protocol):
    """A process that answers requests."""

    def ask(self, request: Request[A], more_time: float = 0.0) -> A:
        """Return the answer; the time limit is longer by `more_time` seconds, which the request takes anyhow.

        `WorkerLostError` if the worker has ended, `WorkerHungError` if it was too slow, `UnsupportedError` if it
        refused the request, and `BenchmarkError` if the request raised.
        """

    def move_to(self, cpu: int) -> None:
        """Pin its process to another processor."""

    def close(self) -> None:
        """End the worker."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """The options of a worker."""

    cpu: int | None
    """The processor to which it is pinned; None where it is not."""
    timeout: float
    """Time limit of each request, in seconds."""
    role: str = ROLE
    """What it is called in errors."""
    threads: int = 1
    """Number of threads of multi-threaded backends."""
    together: bool = False
    """Whether libraries have as many, of matrix products as well, and share all of their processors."""
    is_name: bool = False
    """Whether `role` is a name, without an article."""

    @property
    def subject(self) -> str:
        """The worker, as the subject of a sentence."""
        return self.role if self.is_name else f"the {self.role}"


StartWorker = Callable[[WorkerOptions], Worker]
"""Starts a worker in an environment, and waits until it is ready; `BenchmarkError` where that fails."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A worker that can be started any number of times: its environment and its options."""

    start_worker: StartWorker
    options: WorkerOptions

    def start(self) -> Worker:
        """Start a worker."""
        return self.start_worker(self.options)

    def named(self, name: str) -> Launch:
        """Return the launch of a worker that has a name in errors."""
        return Launch(self.start_worker, replace(self.options, role=name, is_name=True))


class RestartingWorker:
    """One worker at a time: started on demand, restarted after it was ended, and ended on exit."""

    def __init__(self, launch: Launch) -> None:
        """Start without a worker."""
        self._launch = launch
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        """Start without a worker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the worker."""
        self.end()

    def get(self) -> Worker:
        """Return the worker; start one where there is none."""
        if self._worker is None:
            self._worker = self._launch.start()
        return self._worker

    def end(self) -> None:
        """End the worker; the next one will be fresh."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
