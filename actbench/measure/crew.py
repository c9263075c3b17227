"""The worker at work, replaced when it is lost."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from actbench.measure.client import StartWorker, Worker

RETRIES = 1
"""How often a block may lose its worker, or fail, and is tried again: in a session of a run, or in a check."""


class Crew:
    """One worker at a time, started when it is needed and ended on leaving."""

    def __init__(self, start_worker: StartWorker) -> None:
        """Start nothing yet."""
        self._start = start_worker
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        """Begin without a worker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the worker."""
        self.dismiss()

    def worker(self) -> Worker:
        """Return the worker, started when there is none."""
        if self._worker is None:
            self._worker = self._start()
        return self._worker

    def dismiss(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
