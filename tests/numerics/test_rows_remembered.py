"""Kernels along rows that remember something have no speed, as those of elements have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends.numpy import Numpy
from actbench.formula import Extension, Strategy
from actbench.kernels.operands import Array
from actbench.model.cases import Arm, Block
from actbench.model.names import WIDE, Dtype, Op
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


class Copying(Numpy):
    """A backend whose arrays of rows are copies, as those of jax are."""

    name = "copying"

    def in_rows(self, array: Any, rows: int) -> Any:
        """Return a copy."""
        return super().in_rows(array, rows).copy()


def rows(count: int, columns: int, backend: str = "numpy", dtype: Dtype = Dtype.FLOAT64) -> Block:
    return Block("softmax", Op.BACKWARD, dtype, count * columns, (Arm(Variant("mine"), backend),), rows=count)


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


@pytest.mark.parametrize("block", [rows(count, 200, "copying", dtype) for count in (1, 2, 5) for dtype in WIDE])
def test_a_right_gradient_passes_where_rows_are_copies_of_the_operands(
    monkeypatch: pytest.MonkeyPatch, block: Block
) -> None:
    register(monkeypatch, Copying())
    declared(monkeypatch, right)
    assert not refusal(block)


def test_a_gradient_that_was_computed_once_has_no_speed_where_rows_are_copies_of_the_operands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: dict[Any, Array] = {}

    def by_shape(dy: Array, y: Array) -> Array:
        return known.setdefault(y.shape, right(dy, y)).copy()

    register(monkeypatch, Copying())
    declared(monkeypatch, by_shape)
    assert "on the same rows in reverse it gives another result" in refusal(rows(5, 200, "copying"))


@pytest.mark.parametrize("backend", ["numpy", "copying", "python", "numba", "numba-simd"])
def test_a_right_formula_over_any_namespace_passes(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    def build(m: Any) -> Strategy:
        def of(dy: Any, y: Any) -> Any:
            return y * (dy - m.sum(y * dy))

        return Strategy(of)

    register(monkeypatch, Copying())
    register(monkeypatch, registry.activation("softmax").with_strategy(Extension("softmax", "mine", "a test", build)))
    assert not refusal(rows(3, 50, backend), rows(1, 50, backend), rows(4, 1, backend))
