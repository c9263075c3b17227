"""A training step that is refused at one batch is measured at the others, and every step keeps its check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench.analysis.kept_bytes import kept_in
from actbench.engine.launch import UnsupportedError, WorkerHungError
from actbench.engine.protocol import Doubts, ListDoubts, PackedDoubt
from actbench.engine.protocol_training import CheckedStep, CheckStep
from actbench.engine.wire import PackedArray, Request
from actbench.model.cases import Block
from actbench.runs import archive
from actbench.runs import record as records
from tests.conftest import Actbench
from tests.support.fake import FakeBench, FakeWorker
from tests.support.selections import edit, record, rows
from tests.support.steps import STEP, checked

TWO_BATCHES = (*STEP, "--batch", "16", "-s", "recompute,cached", "-o", "here")

REFUSED = "logistic/cached/numpy/dense:16-8/float32/8"

KEPT = {
    "logistic/recompute/numpy/dense:16-8/float32/8": 512,
    REFUSED: 256,
    "logistic/recompute/numpy/dense:16-8/float32/16": 1024,
    "logistic/cached/numpy/dense:16-8/float32/16": 512,
}
"""Bytes by step, in the order of the plan."""


def has_refused(block: Block) -> bool:
    """Return whether a block has the step that is refused."""
    return REFUSED in {case.id for case in block.cases}


def wrong(bench: FakeBench, _: pytest.MonkeyPatch) -> None:
    """Let its gradients be wrong."""

    def check(request: CheckStep) -> CheckedStep:
        return CheckedStep(None, "its gradient of W1 is off") if request.case == REFUSED else checked(request)

    bench.check_step = check


def unsupported(bench: FakeBench, _: pytest.MonkeyPatch) -> None:
    """Let its inputs be such that it cannot be measured."""

    def check(request: CheckStep) -> CheckedStep:
        if request.case == REFUSED:
            raise UnsupportedError("its gradients are too large")
        return checked(request)

    bench.check_step = check


def hanging(bench: FakeBench, _: pytest.MonkeyPatch) -> None:
    """Let it hang where it is timed."""

    def on_time(block: Block) -> None:
        if has_refused(block):
            raise WorkerHungError("it hangs")

    bench.on_time = on_time


def changing(_: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its gradients be others after it was timed."""
    real, nothing = FakeWorker.ask, PackedArray.pack(np.empty(0))

    def ask(self: FakeWorker, request: Request[Any], more_time: float = 0.0) -> Any:
        if isinstance(request, ListDoubts) and self.block and has_refused(self.block):
            arm = [case.id for case in self.block.cases].index(REFUSED)
            return Doubts((PackedDoubt(arm, "its gradients are not the same", False, nothing, nothing, nothing),))
        return real(self, request, more_time)

    monkeypatch.setattr(FakeWorker, "ask", ask)


@pytest.mark.parametrize(("fail", "ends_with"), [(wrong, 4), (unsupported, 0), (hanging, 4), (changing, 4)])
def test_a_step_that_is_left_out_at_one_batch_is_measured_at_the_other(
    actbench: Actbench,
    bench: FakeBench,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[[FakeBench, pytest.MonkeyPatch], None],
    ends_with: int,
) -> None:
    fail(bench, monkeypatch)
    result = actbench("train", *TWO_BATCHES)
    assert result.exit_code == ends_with, result.output
    assert [item["case"] for item in record(Path("here"))["plan"]["left_out"]] == [REFUSED]
    assert actbench("train", "--resume", "here", "--rounds", "8").exit_code == ends_with
    run = archive.load(Path("here"))
    assert {run.times.rounds(block) for block in run.plan.blocks} == {(*range(1, 9),)}
    remaining = [(case.split("/")[1], case.split("/")[5], str(kept)) for case, kept in KEPT.items() if case != REFUSED]
    assert [(row["strategy"], row["size"], row["kept_bytes"]) for row in rows(Path("here/memory.csv"))] == remaining


def without_batches(data: Any) -> None:
    """Make a run.json one of an older version."""
    for check in data["step_checks"]:
        del check["batch"]
    data["seal"] = records._seal(data)


def test_checks_of_a_run_that_did_not_record_their_batches_are_in_the_order_of_its_steps(actbench: Actbench) -> None:
    assert actbench("train", *TWO_BATCHES).exit_code == 0
    edit(Path("here"), without_batches)
    assert {
        case.id: kept for case, kept in kept_in(archive.read_record(Path("here"))).items() if case.id in KEPT
    } == KEPT
