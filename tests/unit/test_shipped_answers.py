"""What a summary says where a framework's own activation was measured beside formulas."""

from __future__ import annotations

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import Speedup
from actbench.model.cases import Case
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report import op_by_op
from actbench.report.answers import answers


def case(strategy: str, backend: str, activation: str = "gelu") -> Case:
    return Case(activation, Variant(strategy), backend, Op.BACKWARD, Dtype.FLOAT32, 1000)


def pair(reference: str, candidate: str, backend: str, ratio: float) -> Speedup:
    interval = Interval(ratio, 0.99 * ratio, 1.01 * ratio)
    return Speedup(case(reference, backend), case(candidate, backend), interval, 6, 0.01)


def test_what_a_framework_ships_is_compared_with_before_recomputing() -> None:
    of_torch = [
        pair("recompute", "intermediate", "torch", 2.0),
        pair("recompute", "shipped", "torch", 10.0),
        pair("intermediate", "shipped", "torch", 5.0),
    ]
    assert [*answers([*of_torch, pair("recompute", "shipped", "jax", 0.5)], "")] == [
        (
            "gelu, backward: times as fast as what the framework ships: torch [the formula, op by op]: recompute 0.10, "
            "intermediate 0.20; jax: recompute 2.0."
        ),
        (
            "gelu, backward: keeping what the forward pass computed on the way is faster than recomputing in 1 of 1 "
            "comparison (2.0 times with torch [the formula, op by op])."
        ),
    ]


def test_a_formula_is_executed_op_by_op_where_a_framework_is_eager_and_has_no_kernel_for_it() -> None:
    assert op_by_op.is_op_by_op(case("recompute", "torch"))
    assert not op_by_op.is_op_by_op(case("shipped", "torch"))
    assert not op_by_op.is_op_by_op(case("cached", "torch", "logistic"))  # sigmoid_backward
    step = Case("logistic", Variant("cached"), "torch", Op.STEP, Dtype.FLOAT32, 1000)
    assert op_by_op.is_op_by_op(step)  # whose forward pass is the formula
    assert not any(
        op_by_op.is_op_by_op(case("recompute", name)) for name in ("python", "numpy", "torch-compile", "jax")
    )


def test_tables_name_the_strategies_that_are_formulas_op_by_op() -> None:
    cases = [case(strategy, name) for name in ("torch", "jax") for strategy in ("recompute", "intermediate", "shipped")]
    assert [*op_by_op.notes(cases)] == ["On torch, the formula, op by op: recompute, intermediate."]
