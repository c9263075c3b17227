"""How what frameworks ship is called: graphs that forward passes have made."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.kernels.cold_calls import calls_of
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import resolve
from actbench.kernels.rotation import Rotation
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.shipped_functions import ShippedFunctionKernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.training import SHIPPED
from tests.support.peers import usable

SIZE = 1000


@pytest.mark.parametrize("state", [OperandState.RESIDUALS_COLD, OperandState.COLD])
@pytest.mark.parametrize("name", [usable("torch")])
def test_no_forward_pass_comes_right_before_a_backward_pass_on_operands_from_memory(
    name: str, state: OperandState, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = resolve(KernelId("exp", SHIPPED, name, Op.BACKWARD, Dtype.FLOAT64))
    assert isinstance(subject, ShippedKernel)
    operands = Operands(subject.activation, np.linspace(-5, 5, SIZE), np.ones(SIZE))
    rotation = Rotation(operands, state, 6, np.random.default_rng(1))
    calls_of(subject, SIZE, rotation, Placement(operands, np.random.default_rng(2)))
    monkeypatch.delattr(type(subject.autograd), "arguments")
    of_next_sweep = calls_of(subject, SIZE, rotation, Placement(operands, np.random.default_rng(3)))
    of_next_sweep.timed(4)()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses what torch deprecates
@pytest.mark.parametrize("name", [usable("torch-compile")])
def test_the_graph_of_a_compiled_function_runs_more_than_once(name: str) -> None:
    kernel = resolve(KernelId("softmax-cross-entropy", SHIPPED, name, Op.BACKWARD, Dtype.FLOAT32))
    assert isinstance(kernel, ShippedFunctionKernel)
    z = np.linspace(-1, 1, 64 * 1024, dtype=np.float32)
    operands = [z, np.zeros(64, np.int64), np.ones(64, np.float32)]
    shaped = [kernel.shaped(kernel.backend.adopt(operand), 64) for operand in operands]
    arguments = kernel.function_autograd.arguments(kernel.op, shaped)
    (first,), (second,) = (kernel.function_autograd.function(kernel.op)(*arguments) for _ in range(2))
    np.testing.assert_array_equal(first, second)
