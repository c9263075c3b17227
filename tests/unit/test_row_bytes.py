"""What is one number a row counts among the bytes that are kept and moved: much of them in rows of few columns."""

from __future__ import annotations

import pytest

from actbench.analysis.figures import Figures, figures
from actbench.analysis.medians import medians_per_round
from actbench.analysis.row_bytes import row_bytes
from actbench.analysis.speedups import ratios
from actbench.kernels import sets
from actbench.kernels.resolution import resolve
from actbench.model.calibration import Calibration
from actbench.model.cases import Arm, Block, Case, KernelId
from actbench.model.checks import Check
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.row_bytes import RowBytes, an_element
from actbench.model.times import Times
from actbench.model.variants import Variant
from actbench.planning.costs import bytes_moved, kept_bytes, residual_bytes
from actbench.report.kept import in_digits
from tests.conftest import Actbench

WARM, RESIDUALS_COLD, COLD = OperandState
ROWS, COLUMNS = 8, 4


def as_fast_as_the_copy(activation: str, strategy: str, backend: str, operands: OperandState) -> Figures:
    """Return the figures of a backward pass in float32 that takes as long as the copy."""
    arms = (Arm(Variant(strategy), backend),)
    block = Block(activation, Op.BACKWARD, Dtype.FLOAT32, ROWS * COLUMNS, arms, operands=operands, rows=ROWS)
    times = Times(Plan((block,), seed=0), [BlockTimes(block, 1, ((1e-6,), (1e-6,)), ((1.0,), (1.0,)))])
    calibrations = {block.id: Calibration((1, 1), (1, 1), 1, 1.0)}
    return next(iter(figures(times, medians_per_round(times), ratios(times, times.blocks), calibrations, ())))


@pytest.mark.parametrize(
    ("activation", "strategy", "backend", "operands", "moved"),
    [
        ("softmax", "recompute", "numba", WARM, 4 * 3),  # z dy | dz
        ("softmax", "intermediate", "numba", WARM, 4 * 3 + 4 * 2 / COLUMNS),  # and the maximum and the sum
        ("softmax", "intermediate", "numpy", COLD, 4 * 2 + 4 * 2 / COLUMNS),  # dz is where it was allocated
        ("softmax", "intermediate", "numba", RESIDUALS_COLD, 4 + 4 * 2 / COLUMNS),
        ("logsumexp", "recompute", "numba", WARM, 4 * 2 + 4 / COLUMNS),  # dy is one a row
        ("logsumexp", "pair", "numba", RESIDUALS_COLD, 4 + 4 / COLUMNS),  # z, and y is one a row
        ("softmax-cross-entropy", "recompute", "numba", WARM, 4 * 2 + (4 + 8) / COLUMNS),  # a target has 8 bytes
        ("softmax-cross-entropy", "recompute", "numba", RESIDUALS_COLD, 4 + 8 / COLUMNS),
    ],
)
def test_the_copy_limit_is_of_all_bytes_from_memory_or_to_it(
    activation: str, strategy: str, backend: str, operands: OperandState, moved: float
) -> None:
    copied = 4 if operands is RESIDUALS_COLD else 8
    figure = as_fast_as_the_copy(activation, strategy, backend, operands)
    assert figure.copy_limit_pct.value == pytest.approx(100 * moved / copied)


def test_bytes_kept_and_moved_are_per_element_of_the_case() -> None:
    case = Case.parse("softmax/intermediate/numba/step/float32/8x4")
    wide = Case.parse("softmax/intermediate/numba/step/float32/8x64")
    assert residual_bytes(case) == kept_bytes(case) == 4 + 2 * 4 / COLUMNS
    assert kept_bytes(wide) == 4.125
    assert bytes_moved(case) == 5 * 4 * 32 + 4 * 4 * ROWS  # z | y top total, dy z top total | dz
    figure = as_fast_as_the_copy("softmax", "intermediate", "numba", WARM)
    assert (figure.residual_bytes, figure.moved_bytes) == (6, 3 * 4 * 32 + 2 * 4 * ROWS)


def test_a_target_and_y_are_alive_anyway() -> None:
    def of(name: str) -> RowBytes:
        return resolve(KernelId(name, Variant("intermediate"), "numpy", Op.BACKWARD, Dtype.FLOAT32)).row_bytes

    assert of("softmax") == RowBytes(kept=8, alive=0, moved=8)
    assert of("softmax-cross-entropy") == RowBytes(kept=8 + 8, alive=8, moved=8 + 8 + 4)
    pair = resolve(KernelId("logsumexp", Variant("pair"), "numpy", Op.STEP, Dtype.FLOAT64))
    assert pair.row_bytes == RowBytes(kept=8, alive=8, moved=8 + 8 + 8)
    assert resolve(KernelId("tanh", Variant("cached"), "numpy", Op.STEP, Dtype.FLOAT64)).row_bytes == RowBytes()


def test_a_record_says_them_and_without_one_the_formulas_do() -> None:
    kernel = KernelId("softmax", Variant("intermediate"), "numpy", Op.BACKWARD, Dtype.FLOAT32)
    assert row_bytes(kernel, Check(kernel, 1.0, 0.0, row_bytes=RowBytes(1, 2, 3))) == RowBytes(1, 2, 3)
    assert row_bytes(kernel, Check(kernel, 1.0, 0.0)) == RowBytes(8, 0, 8)
    forgotten = KernelId("forgotten", Variant("cached"), "numpy", Op.BACKWARD, Dtype.FLOAT32)
    assert row_bytes(forgotten, None) == RowBytes()


def test_a_part_of_a_byte_is_written_where_a_row_has_more_columns_than_bytes() -> None:
    assert [in_digits(an_element(4, 8, 8 * columns, 8)) for columns in (1, 4, 64, 3)] == ["12", "6", "4.125", "6.66667"]
    assert in_digits(123456789) == "123456789"


def test_numbers_of_a_row_pass_the_cache_with_the_rest() -> None:
    kernel = resolve(KernelId("softmax", Variant("intermediate"), "numba", Op.BACKWARD, Dtype.FLOAT32))
    assert sets.touched_bytes(kernel, COLD, 32, ROWS) == 3 * 4 * 32 + 2 * 4 * ROWS
    assert sets.touched_bytes(kernel, RESIDUALS_COLD, 32, ROWS) == 4 * 32 + 2 * 4 * ROWS


def test_show_says_them(actbench: Actbench) -> None:
    shown = actbench("show", "softmax/intermediate/numpy/backward/float32/8x4").output
    assert "keeps z, top, total: 4 bytes per element and 8 bytes a row; one call moves 448 bytes" in shown
