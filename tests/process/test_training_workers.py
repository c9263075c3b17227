"""Training steps in real workers: a run with a network of the user's, and as many threads as are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actbench.cli import main
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Prepare, Slice, Sweep, Time
from actbench.model.cases import Arm, Block
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan, Training
from actbench.model.training import Optimizer, StepPart
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.selections import record, rows
from tests.support.ticks import ticks

NETWORK = """\
from actbench import Activate, Linear, Multiply, network

@network
def gated(width, hidden):
    '''a gate, and what it lets through'''
    return [Multiply([Linear(width, hidden), Activate()], [Linear(width, hidden)]), Linear(hidden, width)]
"""

VARYING = """\
import os

from actbench import Activate, Linear, network

@network
def varying(width):
    '''of another width in every process'''
    return [Linear(width, 1 + os.getpid() % 1000), Activate()]
"""

FEW_TICKS = 5
"""Hundredths of a second that a thread which multiplies exceeds here."""


def really(*arguments: str) -> Result:
    """Run the command line with real workers."""
    result = CliRunner().invoke(main, [*arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.exhaustive
def test_steps_of_a_loaded_network_are_checked_timed_and_gone_on_with(actbench: Actbench) -> None:
    del actbench  # it only goes to an empty directory, with no variables set
    Path("mine.py").write_text(NETWORK)
    steps = ("gated:16-24", "-s", "pair,checkpoint,free", "-a", "silu", "-b", "numpy", "--operands", "warm")
    really("train", *steps, "--load", "mine.py", "--batch", "512", "--rounds", "1", "-q", "-o", "here")
    really("train", "--resume", "here", "--rounds", "2", "-q")
    run = record(Path("here"))
    assert (run["status"], run["rounds"], run["plan"]["training"]["activated"]) == (
        "complete",
        2,
        {"gated:16-24": [24]},
    )
    assert [code["name"] for code in run["loaded"]] == ["mine.py"]
    for check in run["step_checks"]:
        assert (check["error"] is None) == (check["kernel"]["strategy"] == "free")
        assert (check["kept"], check["alive"]) == (check["predicted_kept"], check["predicted_alive"])
    (by_round,) = run["parts"].values()
    for of_arms in by_round.values():
        assert [len(of_arm) for of_arm in of_arms] == [len(StepPart)] * 3
        assert all(sum(of_arm) > 0 for of_arm in of_arms)
    assert {(row["strategy"], row["backend"]) for row in rows(Path("here/values.csv"))} >= {
        ("pair", "numpy"),
        ("yardstick", "numpy"),
    }


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir() or len(os.sched_getaffinity(0)) < 2, reason="there is one processor"
)
@pytest.mark.parametrize("threads", [1, 2])
def test_products_of_matrices_have_as_many_threads_as_are_named(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1" if threads == 2 else "2")
    op = Op("dense:1024-1024")
    block = Block("tanh", op, Dtype.FLOAT32, 512, (Arm(Variant("cached"), "numpy"),))
    plan = Plan((block,), 1, (), STANDARD_NORMAL, 0, Training(Optimizer.SGD, {str(op): (1024,)}))
    worker = WorkerProcess(WorkerOptions(max(os.sched_getaffinity(0)), 60.0, threads=threads, together=True), here())
    try:
        worker.ask(Prepare.of(block, plan))
        worker.ask(Time((Sweep(1, (Slice(0, 10),)),)))
        used = [ticks(thread) for thread in Path(f"/proc/{worker._process.pid}/task").iterdir()]
    finally:
        worker.close()
    assert sum(spent > FEW_TICKS for spent in used) == threads
    if threads == 1:
        assert len(used) == 1


def test_a_network_that_every_process_builds_another_way_is_refused(actbench: Actbench) -> None:
    del actbench
    Path("mine.py").write_text(VARYING)
    steps = ("varying:16", "-s", "pair", "-a", "silu", "-b", "numpy", "--operands", "warm", "--load", "mine.py")
    result = CliRunner().invoke(main, ["train", *steps, "--batch", "8", "--rounds", "1", "-q", "-o", "here"])
    assert result.exit_code == 2
    assert "network 'varying:16' has other layers in a worker than in the plan" in result.stderr
