"""The range that an activation declares is held to the truth of y, of elements, along rows, and of g of a gate."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from actbench import registry
from actbench.errors import WrongKernelError
from actbench.formula import Activation, Formulas
from actbench.kernels.kernel import Kernel
from actbench.kernels.row_kernel import RowKernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import declared_range, oracle
from actbench.verification.truth import Truth
from tests.support.along_rows import answers
from tests.support.gates import answers as gated_answers
from tests.support.tiers import exhaustive_but


def declaring(name: str, low: float, high: float, dtype: Dtype = Dtype.FLOAT64) -> Kernel:
    """Return strategy `recompute` of an activation that declares another range."""
    right = registry.activation(name)

    def build(m: object) -> Formulas:
        formulas = right.build(m)
        return Formulas(forward=formulas.forward, range=(low, high), recompute=formulas.strategies["recompute"])

    one = Activation("declared", "another range", build)
    op = Op.BACKWARD if one.is_row or one.is_gated else Op.DERIVATIVE
    kind = RowKernel if one.is_row else Kernel
    identity = KernelId(one.name, Variant("recompute"), "numpy", op, dtype)
    return kind(identity, registry.backend("numpy"), one, "recompute", None)


def refusal(kernel: Kernel) -> str:
    with pytest.raises(WrongKernelError) as refused:
        oracle.check(kernel, answers(kernel))
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    exhaustive_but(
        [("tanh", -1.0, 1.0), ("tanh", -inf, inf), ("softmax", 0.0, 1.0), ("logsumexp", -inf, inf)],
        {("tanh", -1.0, 1.0)}.__contains__,
    ),
)
def test_a_range_that_holds_all_y_is_accepted(name: str, low: float, high: float) -> None:
    kernel = declaring(name, low, high)
    oracle.check(kernel, answers(kernel))


def test_y_outside_of_the_range_is_refused_and_the_smallest_such_z_named() -> None:
    said_of = f"{declaring('tanh', -1.0, 0.5).id} is declared to have values from -1 to 0.5, but y is 0.5"
    assert refusal(declaring("tanh", -1.0, 0.5)).startswith(said_of)
    assert "but y is -0.8" in refusal(declaring("tanh", -0.8, 1.0, Dtype.FLOAT32))
    assert refusal(declaring("tanh", 0.0, 1.0)).endswith(": correct the range")


def test_along_rows_it_is_refused_with_the_same_words_and_the_row() -> None:
    assert refusal(declaring("softmax", 0.0, 0.5)) == (
        "declared/recompute/numpy/backward/float64 is declared to have values from 0 to 0.5, but y is 1 in column 0 of "
        "a row of 1 from 3 to 3: correct the range"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "high", "words"), [("log-softmax", -1.0, "-1, but y is 0"), ("logsumexp", 0.0, "0, but y is 3")]
)
def test_it_is_refused_of_what_is_one_number_a_row_too(name: str, high: float, words: str) -> None:
    assert f"is declared to have values from -inf to {words} in column 0 of a row of 1" in refusal(
        declaring(name, -inf, high)
    )


def test_of_a_gated_activation_it_is_the_range_of_g() -> None:
    accepted = declaring("glu", 0.0, 1.0)
    oracle.check(accepted, gated_answers(accepted))
    refused = declaring("glu", 0.0, 0.4)
    with pytest.raises(WrongKernelError, match=r"values from 0 to 0.4, but y is 0.5 at a = \S+, b = 1: correct the"):
        oracle.check(refused, gated_answers(refused))


def test_a_bound_that_was_written_with_few_digits_is_accepted() -> None:
    kernel, everywhere = declaring("tanh", 0.0, 1.0), np.ones(1, dtype=bool)
    for y, is_outside in ((1.0 + 1e-7, False), (1.0 + 1e-5, True), (-1e-300, True)):
        truth = Truth(np.array([y]), np.zeros(1), np.spacing(np.array([abs(y)])))
        if is_outside:
            with pytest.raises(WrongKernelError):
                declared_range.require(kernel, truth, everywhere, str)
        else:
            declared_range.require(kernel, truth, everywhere, str)
        declared_range.require(kernel, replace(truth, slack=np.full(1, np.inf)), everywhere, str)
