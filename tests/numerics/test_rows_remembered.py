"""Kernels along rows that remember something have no speed, as those of elements have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.formula import Extension, Strategy
from actbench.kernels.operands import Array
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from tests.support.judged import refusal
from tests.support.registered import register

SLOWLY = 20
"""How often a gradient is computed that a copy of the last one is compared with: on a busy host it takes long, too."""


def right(dy: Array, y: Array) -> Array:
    return np.asarray(y * (dy - (y * dy).sum(axis=-1, keepdims=True)))


def by_address() -> Callable[[Array, Array], Array]:
    known: dict[Any, Array] = {}
    return lambda dy, y: known.setdefault((y.ctypes.data, y.shape), right(dy, y)).copy()


def by_comparison() -> Callable[[Array, Array], Array]:
    last: list[Array] = []

    def gradient(dy: Array, y: Array) -> Array:
        if not (last and np.array_equal(last[0], y) and np.array_equal(last[1], dy)):
            results = [right(dy, y) for _ in range(SLOWLY)]
            last[:] = [y.copy(), dy.copy(), results[-1]]
        return last[2].copy()

    return gradient


def declared(monkeypatch: pytest.MonkeyPatch, gradient: Callable[[Array, Array], Array]) -> None:
    """Give softmax a strategy `mine` of this gradient."""

    def of(dy: Array, y: Array) -> Array:
        return gradient(dy, y)

    extension = Extension("softmax", "mine", "for a test", lambda _: Strategy(of))
    register(monkeypatch, registry.activation("softmax").with_strategy(extension))


def rows(count: int, columns: int) -> Block:
    return Block("softmax", Op.BACKWARD, Dtype.FLOAT64, count * columns, (Arm(Variant("mine"), "numpy"),), rows=count)


@pytest.mark.parametrize("block", [rows(5, 200), rows(1, 100_000)], ids=["rows", "one row"])
def test_a_gradient_that_was_computed_once_has_no_speed(monkeypatch: pytest.MonkeyPatch, block: Block) -> None:
    declared(monkeypatch, by_address())
    assert "on the same rows in reverse it gives another result" in refusal(block)


@pytest.mark.parametrize("block", [rows(200, 200), rows(1, 100_000)], ids=["rows", "one row"])
def test_a_gradient_that_is_copied_where_operands_are_the_last_has_no_speed(
    monkeypatch: pytest.MonkeyPatch, block: Block
) -> None:
    declared(monkeypatch, by_comparison())
    assert "it takes less than half as long on operands that it has just seen" in refusal(block)


def test_a_right_gradient_passes_on_rows_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, right)
    assert not refusal(rows(5, 200), rows(1, 1000))
