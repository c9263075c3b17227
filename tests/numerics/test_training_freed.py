"""A worker holds no training step of the blocks and checks before, not even one in a reference cycle."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from actbench.backends import StepArrays
from actbench.engine.protocol import Prepare
from actbench.engine.protocol_training import CheckStep
from actbench.engine.working.worker import Server
from actbench.kernels.training import NetworkStep
from actbench.model.cases import Arm, Block
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan, Training
from actbench.model.training import Optimizer
from actbench.model.variants import Variant

OP = Op("dense:16-8")

BLOCK = Block("relu", OP, Dtype.FLOAT32, 4, tuple(Arm(Variant(arm), "numpy") for arm in ("recompute", "cached")))

PLAN = Plan((BLOCK,), 1, (), STANDARD_NORMAL, 0, Training(Optimizer.SGD, {str(OP): (8,)}))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[weakref.ref[Any]]]:
    """References to all steps that are made, in cycles; as in a worker, garbage is collected on demand only."""
    made: list[weakref.ref[Any]] = []
    plain = NetworkStep.step

    def in_a_cycle(self: NetworkStep, arrays: StepArrays, optimizer: Optimizer) -> Any:
        step: Any = plain(self, arrays, optimizer)
        step.itself = step
        made.append(weakref.ref(step))
        return step

    monkeypatch.setattr(NetworkStep, "step", in_a_cycle)
    gc.disable()
    yield made
    gc.enable()


def test_steps_of_earlier_blocks_are_freed(steps: list[weakref.ref[Any]]) -> None:
    server = Server()
    for _ in range(3):
        server.answer(Prepare.of(BLOCK, PLAN))
    assert [step() is not None for step in steps] == [False] * 4 + [True] * 2


def test_steps_of_earlier_checks_are_freed(steps: list[weakref.ref[Any]]) -> None:
    server = Server()
    for _ in range(3):
        server.answer(CheckStep(BLOCK.cases[0].id, 1, STANDARD_NORMAL, Optimizer.SGD))
    assert [step() is not None for step in steps] == [False] * 4 + [True] * 2
