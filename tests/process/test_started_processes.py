"""Processes that kernels start do not outlive the worker in which they were started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from actbench import plugins
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerHungError, WorkerLostError, WorkerOptions
from actbench.engine.protocol import Evaluate, ListDoubts, Prepare, Slice, Source, Sweep, Time
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant

MINE = """
import os
import subprocess
from pathlib import Path

from actbench import kernel


@kernel("logistic", "forking", keeps=("y",), op="derivative")
def forking(y):
    if not Path("forked").exists():
        Path("forked").touch()
        if os.fork() == 0:
            return y * 0.0
    return y * (1.0 - y)


@kernel("logistic", "starting", keeps=("y",), op="derivative")
def starting(y):
    if not Path("started").exists():
        Path("started").write_text(str(subprocess.Popen(["sleep", "61"]).pid))
    return y * (1.0 - y)
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerProcess]:
    """A worker in which a kernel has started a process, whose number is in a file."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    loaded = plugins.load("mine.py")
    started = WorkerProcess(WorkerOptions(None, 60.0), here())
    try:
        started.load([Source(loaded.name, loaded.sha256)])
        arms = (Arm(Variant("starting"), "numpy"),)
        started.ask(Prepare.of(Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 100, arms), Plan((), seed=1)))
        started.ask(Time((Sweep(1, (Slice(0, 1),)),)))
        yield started
    finally:
        started.close()
        plugins.unload()


def running() -> psutil.Process:
    process = psutil.Process(int(Path("started").read_text()))
    assert process.status() != psutil.STATUS_ZOMBIE
    return process


def require_end(process: psutil.Process) -> None:
    """Wait until a process has ended; one that nobody reaps remains as a zombie."""
    for _ in range(100):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        psutil.wait_procs([process], timeout=0.1)
    pytest.fail("it still runs")


def test_they_end_with_a_worker_that_is_closed(worker: WorkerProcess) -> None:
    started = running()
    worker.close()
    require_end(started)


def test_they_end_with_a_worker_that_is_lost(worker: WorkerProcess) -> None:
    started = running()
    os.kill(worker._process.pid, signal.SIGKILL)
    with pytest.raises(WorkerLostError, match="was killed by SIGKILL"):
        worker.ask(ListDoubts())
    require_end(started)


def test_a_process_that_a_kernel_forks_answers_nothing(worker: WorkerProcess) -> None:
    y = np.linspace(0.1, 0.9, 5)
    forking = KernelId("logistic", Variant("forking"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    for part in (y, y[:3]):
        answer = worker.ask(Evaluate.of(forking, part, part, {"y": part}))
        np.testing.assert_array_equal(answer.outputs[0].unpack(), part * (1.0 - part))


def test_they_end_with_a_worker_that_hangs(worker: WorkerProcess) -> None:
    started = running()
    worker.timeout = 0.1
    with pytest.raises(WorkerHungError):
        worker.ask(Time((Sweep(1, (Slice(0, 10**9),)),)))
    require_end(started)
