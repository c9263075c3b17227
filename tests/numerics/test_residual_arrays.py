"""The arrays in which narrow residuals lie, and how many bytes they take."""

from __future__ import annotations

import numpy as np
import pytest

from actbench import registry
from actbench.kernels.operands import Operand, Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import kernel as resolved
from actbench.model.names import FIRST_ORDER, Dtype, Op, Storage
from actbench.model.number_formats import numpy_dtype
from actbench.planning.costs import bytes_moved, residual_bytes
from actbench.verification.kept import expected
from tests.support.narrow import kernel
from tests.support.resolved import prepare


def test_narrow_residuals_are_made_once_and_shared_by_strategies_and_backends() -> None:
    operands = Operands.drawn(registry.activation("silu"), Dtype.FLOAT32, 100, seed=1)
    kept = operands.array(Operand.of("pair", "y", Storage.FLOAT16))
    assert kept.dtype == np.float16
    assert kept is operands.array(Operand.of("cached", "y", Storage.FLOAT16))
    assert np.array_equal(kept, operands.array(Operand.of("pair", "y")).astype(np.float16))
    placement = Placement(operands, np.random.default_rng(0))
    of_numpy = placement.operand(registry.backend("numpy"), Operand.of("pair", "z", Storage.FLOAT16))
    of_numba = placement.operand(registry.backend("numba"), Operand.of("pair", "z", Storage.FLOAT16))
    assert of_numba.dtype == np.uint16
    assert np.shares_memory(of_numpy, of_numba)


@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
@pytest.mark.parametrize("backend", ["numpy-blocked", "numba"])
def test_a_step_writes_its_residuals_in_their_type_and_its_results_in_the_arithmetic_s(
    backend: str, storage: str
) -> None:
    case = kernel(f"pair:{storage}", "silu", backend, Op.STEP).at(100)
    operands = Operands.drawn(registry.activation("silu"), Dtype.FLOAT32, 100, seed=1)
    y, kept_z, kept_y, dz = prepare(case, Placement(operands, np.random.default_rng(0))).results()
    assert y.dtype == dz.dtype == np.float32
    narrow = numpy_dtype(storage)
    assert kept_z.dtype == kept_y.dtype == narrow
    assert np.array_equal(kept_z, operands.array(Operand.of("pair", "z")).astype(narrow))
    assert np.array_equal(kept_y, y.astype(narrow))


@pytest.mark.parametrize(
    ("strategy", "kept", "derivative", "backward", "step"),
    [
        ("recompute", 4, 8, 12, 20),
        ("recompute:float16", 2, 4 + 2, 8 + 2, 16 + 2 * 2),
        ("pair", 8, 12, 16, 24),
        ("pair:bfloat16", 4, 4 + 4, 8 + 4, 16 + 2 * 4),
        ("intermediate", 8, 12, 16, 28),
        ("intermediate:float16", 4, 4 + 4, 8 + 4, 16 + 2 * 4),
    ],
)
def test_bytes_are_those_of_the_types_in_which_arrays_lie(
    strategy: str, kept: int, derivative: int, backward: int, step: int
) -> None:
    cases = [kernel(strategy, "silu", op=op).at(1000) for op in FIRST_ORDER]
    assert [residual_bytes(case) for case in cases] == [kept] * 3
    assert [bytes_moved(case) for case in cases] == [1000 * nbytes for nbytes in (derivative, backward, step)]


def test_float64_kept_as_float32_takes_half_the_bytes() -> None:
    case = kernel("cached:float32", dtype="float64").at(1000)
    assert residual_bytes(case) == 4
    assert bytes_moved(case) == 1000 * (8 + 4)


def test_a_residual_may_lie_a_unit_of_the_arithmetic_aside_and_no_further() -> None:
    """It then rounds to the same number of the narrower type, or to the next, by which g' changes by less."""
    z = np.linspace(-4, 4, 200, dtype=np.float32)
    slopes, _ = expected(resolved(kernel(f"cached:{Storage.FLOAT16}", "logistic")), z, np.ones(z.size))
    values = np.array([slope.nearest for slope in slopes], dtype=np.float64)
    assert len(slopes) == 3
    assert np.ptp(values, axis=0).max() <= np.finfo(np.float16).eps
