"""Rows that come from memory: of backward passes; every set gives the right results, and what is passed is counted."""

from __future__ import annotations

import pytest

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

ROWS, COLUMNS = 8, 16


@pytest.mark.parametrize("state", COLD)
@pytest.mark.parametrize(
    ("activation", "backend"),
    exhaustive_but(
        [
            *(("softmax", backend) for backend in ("python", "numpy", "numba", "numba-simd")),
            *((name, "numpy") for name in ("log-softmax", "logsumexp", "softmax-cross-entropy")),
        ],
        lambda of: of[1] == "numpy",
    ),
)
def test_every_set_of_rows_gives_the_right_gradient(activation: str, backend: str, state: OperandState) -> None:
    dtype = Dtype.FLOAT64 if backend == "python" else Dtype.FLOAT32
    arms = tuple(Arm(Variant(name), backend) for name in ("recompute", "intermediate"))
    block = Block(activation, Op.BACKWARD, dtype, ROWS * COLUMNS, arms, operands=state, rows=ROWS)
    worker = InProcess()
    worker.ask(Prepare.of(block, Plan((block,), seed=1, cache=4096), whole=True))
    for seed in range(3):
        worker.ask(Time((Sweep(seed, tuple(Slice(arm, 7) for arm in range(len(block.timed)))),)))
    verification(block).settle(block, worker.ask(ListDoubts()).doubts)


@pytest.mark.parametrize(("activation", "arrays"), [("softmax", 3), ("logsumexp", 2)])
def test_what_is_one_number_a_row_counts_for_no_cache(activation: str, arrays: int) -> None:
    """Softmax reads z and dy and writes dz; dy of logsumexp is one number a row."""
    identity = KernelId(activation, Variant("recompute"), "numba", Op.BACKWARD, Dtype.FLOAT32)
    kernel = resolve(identity)
    size = ROWS * COLUMNS
    assert sets.touched_bytes(kernel, OperandState.COLD, size) == arrays * 4 * size
    assert sets.touched_bytes(kernel, OperandState.RESIDUALS_COLD, size) == 4 * size


def test_a_step_along_rows_from_memory_is_refused_with_the_way_out(actbench: Actbench) -> None:
    result = actbench("run", "-a", "softmax", "-b", "numpy", "-n", "8x16", "--op", "step", "--operands", "cold")
    assert result.exit_code == 2
    assert "softmax, are warm: use --op backward" in result.output
