"""Workers that the benchmark of rounds forks from a process that has imported everything."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Evaluate
from actbench.host.environment import choose_cpu
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from benchmarks.forked import Zygote
from tests.support.tiers import EXHAUSTIVE

KERNEL = KernelId("logistic", Variant("cached"), "numba", Op.DERIVATIVE, Dtype.FLOAT64)


@EXHAUSTIVE
@pytest.mark.skipif(sys.platform != "linux", reason="it pins the process, so that numpy starts no threads")
def test_a_forked_worker_answers_as_any_other_does(tmp_path: Path) -> None:
    z = np.linspace(-3, 3, 7)
    with Zygote(tmp_path / "socket", choose_cpu(None)) as zygote:
        for _ in range(2):
            worker = zygote.fork(WorkerOptions(None, 60.0, "baseline"))
            answer = worker.ask(Evaluate.of(KERNEL, z, z))
            worker.close()
            y = 1 / (1 + np.exp(-z))
            np.testing.assert_allclose(answer.outputs[-1].unpack(), y * (1 - y), rtol=1e-14)
    assert not (tmp_path / "socket").exists()
