"""A formula that no other stands beside is held to the truth on timed operands: of gates, of rows, and of g''."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench.formula import Activation, Formulas, Strategy
from actbench.kernels.operands import Array
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.support.judged import refusal
from tests.support.registered import register

CHECKED = 150_000
"""Elements up to which the formulas are right: more than a call of the oracle has."""


def gated(factor: Callable[[Array], float]) -> Activation:
    """Return y = tanh(a) b, with a gradient of a that is off by a factor."""

    def recompute(a: Array, b: Array) -> tuple[Array, Array]:
        e = np.exp(-2.0 * abs(a))
        return factor(a) * b * (4.0 * e / (1.0 + e * (2.0 + e))), np.tanh(a)

    return Activation(
        "mine", "tanh(a) b", lambda m: Formulas(forward=lambda a, b: m.tanh(a) * b, recompute=recompute, uncached="no")
    )


def cubic(factor: Callable[[Array], float]) -> Activation:
    """Return z^3, with a second derivative that is off by a factor."""
    form = Strategy(lambda z: 3.0 * z * z, second=lambda z: factor(z) * 6.0 * z)
    return Activation("mine", "z^3", lambda _: Formulas(forward=lambda z: z * z * z, recompute=form))


def where_many(z: Any) -> float:
    return 1.0 if getattr(z, "size", 1) < CHECKED else 1.01


@pytest.mark.parametrize(
    ("activation", "op"), [(gated, Op.BACKWARD), (cubic, Op.SECOND)], ids=["gate", "second derivative"]
)
def test_a_formula_that_is_wrong_where_elements_are_many_is_refused(
    activation: Callable[[Callable[[Array], float]], Activation], op: Op, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (
        Block("mine", op, Dtype.FLOAT64, size, (Arm(Variant("recompute"), "numpy"),)) for size in (1000, 2 * CHECKED)
    )
    register(monkeypatch, activation(lambda _: 1.0))
    assert not refusal(many)
    register(monkeypatch, activation(where_many))
    assert not refusal(few)
    assert " is wrong on " in refusal(many)


def test_gradients_along_rows_from_y_alone_are_held_to_the_truth_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def exponentials(m: Any) -> Formulas:
        def forward(z: Any) -> Any:
            e = m.exp(z - m.max(z))
            return e * (1.0 / m.sum(e))

        def cached(dy: Any, y: Any) -> Any:
            return where_many(y) * y * (dy - m.sum(y * dy))

        return Formulas(forward=forward, cached=cached)

    few, many = (
        Block("mine", Op.BACKWARD, Dtype.FLOAT64, rows * 20, (Arm(Variant("cached"), "numpy"),), rows=rows)
        for rows in (5, CHECKED // 10)
    )
    register(monkeypatch, Activation("mine", "softmax", exponentials))
    assert not refusal(few)
    assert " is wrong on timed operands" in refusal(many)
