"""Rows that come from memory: every set gives the right results, and what is passed is counted."""

from __future__ import annotations

from itertools import product

import pytest

from actbench import registry
from actbench.engine.protocol import ListDoubts, Prepare, Slice, Sweep, Time
from actbench.kernels import sets
from actbench.kernels.resolution import resolve
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.judged import InProcess, verification
from tests.support.tiers import exhaustive_but

COLD = (OperandState.COLD, OperandState.RESIDUALS_COLD)

NAMES = ("softmax", "log-softmax", "logsumexp", "softmax-cross-entropy")
BACKENDS = ("python", "numpy", "numba", "numba-simd", "numba-parallel", "torch", "jax")

ROWS, COLUMNS = 8, 16


@pytest.mark.parametrize("state", COLD)
@pytest.mark.parametrize("op", [Op.BACKWARD, Op.STEP])
@pytest.mark.parametrize(
    ("activation", "backend"),
    exhaustive_but(
        [*product(NAMES, BACKENDS)], lambda of: of[1] == "numpy" or of == ("softmax-cross-entropy", "python")
    ),
)
def test_every_set_of_rows_gives_the_right_results(activation: str, backend: str, op: Op, state: OperandState) -> None:
    if reason := registry.backends()[backend].unavailable:
        pytest.skip(reason)
    dtype = Dtype.FLOAT64 if backend == "python" else Dtype.FLOAT32
    stable = [name for name in registry.activation(activation).strategies if name != "textbook"]
    arms = tuple(Arm(Variant(name), backend) for name in stable)
    block = Block(activation, op, dtype, ROWS * COLUMNS, arms, operands=state, rows=ROWS)
    worker = InProcess()
    worker.ask(Prepare.of(block, Plan((block,), seed=1, cache=4096), whole=True))
    for seed in range(3):
        worker.ask(Time((Sweep(seed, tuple(Slice(arm, 7) for arm in range(len(block.timed)))),)))
    verification(block).settle(block, worker.ask(ListDoubts()).doubts)


@pytest.mark.parametrize(("activation", "arrays", "numbers"), [("softmax", 3, 0), ("logsumexp", 2, 1)])
def test_what_is_one_number_a_row_counts_as_that(activation: str, arrays: int, numbers: int) -> None:
    """Softmax reads z and dy and writes dz; dy of logsumexp is one number a row."""
    identity = KernelId(activation, Variant("recompute"), "numba", Op.BACKWARD, Dtype.FLOAT32)
    kernel = resolve(identity)
    size = ROWS * COLUMNS
    assert sets.touched_bytes(kernel, OperandState.COLD, size, ROWS) == arrays * 4 * size + numbers * 4 * ROWS
    assert sets.touched_bytes(kernel, OperandState.RESIDUALS_COLD, size, ROWS) == 4 * size


def test_the_passes_of_a_step_along_rows_are_shown_alone(actbench: Actbench) -> None:
    shown = {
        backend: actbench("show", f"softmax/intermediate/{backend}/step/float64/8x16/residuals-cold").output
        for backend in ("python", "numpy", "numba")
    }
    for output in shown.values():
        assert "a step is two calls: a forward pass on the next set" in output
    for backend in ("python", "numba"):
        forward, backward = shown[backend].split("backward pass, executed by the same")
        assert "def kernel(y, top, total, z):" in forward
        assert "def kernel(dz, dy, z, top, total):" in backward
