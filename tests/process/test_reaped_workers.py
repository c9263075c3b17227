"""Workers are closed without errors where somebody else has reaped them."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import pytest

from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    worker = WorkerProcess(WorkerOptions(None, 60.0), here())
    yield worker
    worker.close()


def test_a_worker_that_the_system_reaps_is_closed_like_any(worker: WorkerProcess) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        worker.close()
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert not psutil.pid_exists(worker._process.pid)


def test_a_worker_whose_reaping_was_interrupted_can_be_closed_once_more(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    reap = worker._process.wait

    def interrupted() -> int:
        reap()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(worker._process, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worker.close()
    worker.close()
    assert not psutil.pid_exists(worker._process.pid)
