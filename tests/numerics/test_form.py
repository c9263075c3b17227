"""What a run says of kernels whose results have another form than it expects: that, and nothing of their values."""

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
from actbench.model.user_kernels import kernel
from actbench.model.variants import Variant
from actbench.verification.points import points
from tests.support.judged import block, declared_as_kernel, refusal
from tests.support.registered import register
from tests.support.written import right

Form = Callable[[Array], Any]

SIZE = points(registry.activation("logistic"), Dtype.FLOAT64).size
"""Elements of the first call of a kernel."""


def of_shape(*shape: int, dtype: str = "float64") -> str:
    return f"{dtype} of shape {shape} where float64 of shape ({SIZE},) is expected"


FORMS: dict[str, tuple[Form, str]] = {
    "one fewer": (lambda g: g[:-1].copy(), of_shape(SIZE - 1)),
    "half": (lambda g: g[::2].copy(), of_shape(SIZE // 2)),
    "twice": (lambda g: np.concatenate([g, g]), of_shape(2 * SIZE)),
    "two rows": (lambda g: np.stack([g, g]), of_shape(2, SIZE)),
    "one element": (lambda g: g[:1].copy(), of_shape(1)),
    "no dimension": (lambda g: np.asarray(g.sum()), of_shape()),
    "fewer, narrow": (lambda g: g[:-1].astype(np.float32), of_shape(SIZE - 1, dtype="float32")),
    "random too": (lambda g: g[:-1] * np.random.default_rng().random(), of_shape(SIZE - 1)),
    "a scalar": (lambda g: g.sum(), "a float64 where a ndarray is expected"),
    "two arrays": (lambda g: (g, g.copy()), "2 arrays and not 1 array"),
    "records": (lambda g: g.view([("g", "f8")]).copy(), "an array of records where one of numbers is expected"),
    "objects": (lambda g: g.astype(object), "an array of objects where one of numbers is expected"),
    "integers": (lambda g: g.astype(int), "int64 where float64 is expected"),
    "text": (lambda g: g.astype(str), "<U32 where float64 is expected"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_result_of_a_wrong_form_is_refused_for_its_form(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    change, words = FORMS[form]
    declared_as_kernel(monkeypatch, lambda z: change(right(z)), "logistic")
    assert refusal(block()) == f"logistic/mine/numpy/derivative/float64 is wrong: it returns {words}"


def test_a_result_that_is_too_short_in_some_sizes_alone_is_refused_for_its_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declared_as_kernel(monkeypatch, lambda z: right(z)[: 4000 if z.size > 5000 else None].copy(), "logistic")
    words = "it returns float64 of shape (4000,) where float64 of shape (10000,) is expected"
    assert refusal(block(size=10_000)) == f"logistic/mine/numpy/derivative/float64 is wrong: {words}"


def test_gradients_of_two_inputs_that_are_too_short_are_refused_for_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter(range(1, 10))

    def shorter(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
        s = 1 / (1 + np.exp(-np.clip(a, -30, 30)))
        return (dy * b * s * (1 - s))[next(sizes) :].copy(), (dy * s)[next(sizes) :].copy()

    declare = kernel("glu", "mine", keeps=("a", "b"), backends=("numpy",))
    register(monkeypatch, registry.activation("glu").with_kernel(declare(shorter)))
    reason = refusal(block("glu", Op.BACKWARD))
    assert reason.startswith("glu/mine/numpy/backward/float64 is wrong: it returns float64 of shape (")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g[:-1].copy(), "it returns shape (2, 1) where (3, 1) is expected"),
        (lambda g: g.T.copy(), "it returns shape (1, 3) where (3, 1) is expected"),
        (lambda g: np.asarray(g.sum()), "it returns shape () where (3, 1) is expected"),
    ],
    ids=["one row fewer", "transposed", "no dimension"],
)
def test_a_gradient_that_is_not_rows_by_columns_is_refused_for_its_shape(
    monkeypatch: pytest.MonkeyPatch, change: Form, words: str
) -> None:
    def slope(dy: Array, y: Array) -> Any:
        return change(y * (dy - (dy * y).sum(axis=-1, keepdims=True)))

    extension = Extension("softmax", "mine", "for a test", lambda _: Strategy(slope))
    register(monkeypatch, registry.activation("softmax").with_strategy(extension))
    of = Block("softmax", Op.BACKWARD, Dtype.FLOAT64, 1024, (Arm(Variant("mine"), "numpy"),))
    assert refusal(of) == f"softmax/mine/numpy/backward/float64 is wrong: {words}"
