"""Functions that a backend has only for arguments of limited size."""

from __future__ import annotations

import pytest

from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant


@pytest.mark.parametrize(
    ("activation", "strategy", "op", "missing"),
    [
        ("sine", "recompute", Op.DERIVATIVE, "cos of z"),
        ("sine", "recompute", Op.STEP, "cos of z and no sin of z"),
        ("snake", "recompute", Op.BACKWARD, "sin of z"),
        ("arctan", "cached", Op.STEP, None),
    ],
)
def test_a_sine_that_ends_somewhere_executes_no_formula_of_any_z(
    activation: str, strategy: str, op: Op, missing: str | None
) -> None:
    reason = resolve(KernelId(activation, Variant(strategy), "numba-simd", op, Dtype.FLOAT32)).unsupported
    because = "its reduction by pi/2 ends at 1e4 in float32 and at 1e8 in float64"
    assert reason == (missing and f"numba-simd has no {missing}: {because}")
