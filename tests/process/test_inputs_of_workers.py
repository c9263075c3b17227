"""Real workers draw what they are told to: from a distribution, or from a file that they read themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from actbench.cli import main
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Compare, Prepare
from actbench.errors import BenchmarkError
from actbench.kernels.drawing import pinned
from actbench.model.cases import Arm, Block
from actbench.model.inputs import Inputs
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.environments import environment
from tests.support.selections import record
from tests.support.tiers import EXHAUSTIVE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def test_a_worker_reads_the_file_itself_and_refuses_one_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "z.npy"
    np.save(path, np.linspace(-9, 9, 50))
    block = Block("tanh", Op.STEP, Dtype.FLOAT64, 100, (Arm(Variant("cached"), "numpy"),))
    plan = Plan((block,), seed=1, inputs=pinned(Inputs.parse(str(path))))
    worker = WorkerProcess(WorkerOptions(None, 60.0), here())
    try:
        worker.ask(Prepare.of(block, plan))
        assert not any(doubt.fault or doubt.z.unpack().size for doubt in worker.ask(Compare()).doubts)
        with pytest.raises(BenchmarkError, match=r"z\.npy changed since this run started; start a new run"):
            worker.ask(Prepare.of(block, replace(plan, inputs=replace(plan.inputs, sha256=64 * "0"))))
    finally:
        worker.close()


@EXHAUSTIVE
def test_a_check_draws_the_same_from_a_file_on_both_sides(
    check: Callable[..., Result], tmp_path: Path, only_numpy: Path
) -> None:
    np.save("z.npy", np.linspace(-9, 9, 50, dtype=np.float32))
    result = check(environment(tmp_path / "environment", only_numpy), "--inputs", "z.npy")
    assert result.exit_code in {0, 3}, result.output
    assert "2 cases, margin 99 %: 2 " in result.stdout
    assert "\nInputs are drawn from z.npy (SHA-256 " in result.stdout


@EXHAUSTIVE
def test_both_engines_measure_saturated_inputs_and_numpy_does_not_warn(actbench: Actbench) -> None:
    del actbench  # it only goes to an empty directory, with no variables set
    selection = ("-a", "logistic", "-b", "numpy", "-s", "textbook", "-d", "float64", "-n", "1000", "--op", "derivative")
    for engine in ("interleaved", "pyperf"):
        arguments = [
            "run",
            *selection,
            "--inputs",
            "uniform:-800,800",
            "--rounds",
            "1",
            "--engine",
            engine,
            "-o",
            engine,
        ]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        assert record(Path(engine))["plan"]["inputs"]["parameters"] == [-800.0, 800.0]
        assert "Warning" not in result.output
