"""Tensors in the user's units: the table of a whole tensor, and what to keep of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import Speedup
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.sizes import Shape
from actbench.model.variants import Variant
from actbench.report.tensors import MIB, Tensor, answers
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.selections import PAIR

SHAPE = Shape("512x1024")
"""2 MiB in float32."""


def tensor(
    strategy: str, ms: float, kept: int, *, alive: int = 0, error: float = 1e-6, backend: str = "torch"
) -> Tensor:
    """Return a tensor that keeps so many MiB."""
    case = Case("gelu", Variant(strategy), backend, Op.STEP, Dtype.FLOAT32, SHAPE.elements, shape=SHAPE)
    return Tensor(case, interval(1e-3 * ms), kept * MIB, alive * MIB, error, 1000)


def interval(value: float, within: float = 0.01) -> Interval:
    return Interval(value, value * (1 - within), value * (1 + within))


def said(*rows: Tensor) -> list[str]:
    """Return the answers, where ratios are known to ± 1 %."""
    pairs = [
        Speedup(one.case, other.case, interval(one.seconds.value / other.seconds.value), 6, 0.01)
        for place, one in enumerate(rows)
        for other in rows[place + 1 :]
        if one.case.backend == other.case.backend
    ]
    return [*answers(rows, pairs)]


def test_the_fastest_is_kept_and_what_keeping_less_costs_is_said() -> None:
    (answer,) = said(tensor("recompute", 4.0, 2), tensor("intermediate", 2.0, 4))
    assert answer == (
        "What to keep of a 512x1024 tensor (step): with torch, what the forward pass computed on the way "
        "(intermediate): gelu float32 (2.00 ± 0.02 ms, 4 MiB, error 1.0e-6; recompute takes 2.00 ± 0.02 times as long "
        "and 2 MiB less)."
    )


def test_where_no_difference_is_shown_the_fewest_bytes_beside_those_alive_anyway_are_kept() -> None:
    cached = tensor("cached", 2.005, 2, alive=2)
    (answer,) = said(tensor("recompute", 2.01, 2), tensor("pair", 2.0, 4, alive=2), cached)
    assert "with torch, y (cached): gelu float32 (2.00 ± 0.02 ms, 2 MiB alive anyway, error 1.0e-6)." in answer


@pytest.mark.parametrize(("error", "named"), [(0.005, "y (cached)"), (0.02, "z (recompute)"), (1.0, "z (recompute)")])
def test_what_is_off_by_more_than_a_percent_is_not_kept_where_something_better_is_there(
    error: float, named: str
) -> None:
    assert named in said(tensor("recompute", 4.0, 2), tensor("cached", 1.0, 2, error=error))[0]
    assert "y (cached)" in said(tensor("recompute", 4.0, 2, error=error), tensor("cached", 1.0, 2, error=error))[0]


def test_backends_have_answers_of_their_own_and_tensors_without_intervals_none() -> None:
    (answer,) = said(tensor("shipped", 3.0, 2), tensor("cached", 1.0, 2, backend="numba-simd"))
    assert "with torch, what the framework saves (shipped): gelu" in answer
    assert "; with numba-simd, y (cached): gelu" in answer
    silu = replace(tensor("recompute", 1.0, 2), case=replace(tensor("recompute", 1.0, 2).case, activation="silu"))
    (answer,) = said(tensor("shipped", 3.0, 2), tensor("cached", 1.0, 2, backend="numba-simd"), silu)
    assert [part.partition(",")[0] for part in answer.split("with ")[1:]] == ["torch", "torch", "numba-simd"]
    unknown = tensor("shipped", 3.0, 2)
    assert not said(Tensor(unknown.case, Interval(1.0, float("nan"), float("nan")), 1, 0, 0.0, 1000))


def test_a_run_shows_whole_tensors_where_a_shape_was_named_and_only_there(actbench: Actbench) -> None:
    done = actbench("run", *PAIR, "-n", "512x1024,1000", "--rounds", "6", "-o", "here")
    assert done.stdout.startswith("What to keep of a 512x1024 tensor (derivative): with numpy, y (cached): logistic")
    rows = [
        line for line in Path("here/summary.md").read_text().splitlines() if line.startswith("| logistic | float64 |")
    ]
    assert [row.split(" | ")[3:7] for row in rows[:2]] == [
        ["recompute", "2.10 ± 0.00", "4", "0"],
        ["cached", "0.524 ± 0.000", "4", "4"],
    ]
    assert "The whole tensor: 512x1024, derivative" in actbench("compare", "here", "--format", "markdown").stdout
    record = load(Path("here")).record
    assert record is not None
    assert {(check.sampled, check.alive_bytes) for check in record.checks} == {(1000, 0), (1000, 8)}
    assert all(check.relative is not None and check.relative < 1e-14 for check in record.checks)
