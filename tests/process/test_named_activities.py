"""A worker that takes too long is reported with what it does."""

from __future__ import annotations

import os
import signal

import pytest

from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerHungError, WorkerOptions
from actbench.engine.protocol import Describe, ListDoubts, Prepare
from actbench.engine.wire import Request
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant

BLOCK = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 1000, (Arm(Variant("cached"), "numpy"),))


@pytest.mark.parametrize(
    ("message", "expected"),
    [(Describe(), ""), (ListDoubts(), f", with {BLOCK.cases[0].id}")],
    ids=["no case", "block"],
)
def test_after_a_block_was_prepared_its_name_is_that_of_its_requests_alone(
    message: Request[object], expected: str
) -> None:
    worker = WorkerProcess(WorkerOptions(None, 60.0), here())
    try:
        worker.ask(Prepare.of(BLOCK, Plan((), seed=1)))
        os.kill(worker._process.pid, signal.SIGSTOP)
        worker.timeout = 0.2
        with pytest.raises(WorkerHungError, match=rf"\(--timeout allows more\){expected}: "):
            worker.ask(message)
    finally:
        worker.close()
