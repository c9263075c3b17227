from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbench import registry
from actbench.formula import Flaw
from actbench.kernels.operands import Array
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.checks import STATED_ULP
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.support import kernels
from tests.support.spoilt import Change, declare, refusal, spoilt
from tests.support.tiers import EXHAUSTIVE, first_of_each

KERNELS = [
    kernel
    for kernel in kernels.every_kernel()
    if kernel.activation in kernels.FULLY or not kernel.backend.startswith("numba")
]
"""What is compiled for other activations is held to the truth in test_derivatives: compiling takes most of the time."""

SAFE = [kernel for kernel in kernels.sample() if kernel.strategy != "textbook"]

SHARP = [kernel for kernel in SAFE if kernel.strategy in {"recompute", "complement"}]


@kernels.by_kernel(KERNELS)
def test_a_right_kernel_passes_with_its_largest_error(kernel: KernelId) -> None:
    check = oracle.check(resolve(kernel), kernels.evaluate)
    declared = kernels.weaknesses(kernel)
    assert check.kernel == kernel
    assert check.weaknesses == tuple(weakness.why for weakness in declared)
    assert check.worst_z in oracle.points(registry.activation(kernel.activation), kernel.dtype)
    beyond = check.max_ulp is None or check.max_ulp > STATED_ULP
    assert beyond <= bool(declared)
    elsewhere = {Flaw.AMPLIFIES, Flaw.MERGES, Flaw.CANCELS}  # a bound alone, or seen at roots alone
    assert beyond or all(weakness.flaw in elsewhere for weakness in declared)


WRONG: dict[str, Change] = {
    "has the wrong sign": lambda _, g: -g,
    "is applied twice": lambda _, g: g * g,
    "expects y but is given z": lambda z, _: (1 - z) * (1 + z),
    "is half of it": lambda _, g: g / 2,
    "is 1": lambda _, g: np.ones_like(g),
    "is 0": lambda _, g: np.zeros_like(g),
    "is NaN": lambda _, g: np.full_like(g, np.nan),
    "is infinite": lambda _, g: np.full_like(g, np.inf),
    "is that of the neighbour": lambda _, g: np.roll(g, 1),
    "is the output": lambda z, _: np.tanh(z),
    "is 0 in both tails": lambda z, g: np.where(abs(z) > 3, 0, g),
    "is right on one side only": lambda z, g: np.where(z < 0, g, 2 * g),
    "is wrong at 0": lambda z, g: np.where(z == 0, 0, g),
    "is NaN for the largest z": lambda z, g: np.where(abs(z) == np.finfo(z.dtype).max, np.nan, g),
}


def wrong_in_turns() -> list[Any]:
    """Return every kernel with every change: of each kernel two changes are quick, and each change of many kernels."""
    pairs = product(enumerate(SAFE), enumerate(WRONG.items()))
    return [
        pytest.param(kernel, change, id=f"{kernel.id}-{name}", marks=() if (turn + place) % 7 == 0 else EXHAUSTIVE)
        for (turn, kernel), (place, (name, change)) in pairs
    ]


@pytest.mark.parametrize(("kernel", "change"), wrong_in_turns())
def test_a_wrong_kernel_is_refused_and_the_worst_z_named(kernel: KernelId, change: Change) -> None:
    message = refusal(kernel, spoilt(change))
    assert message.startswith(f"{kernel.id} is wrong: at z = ")
    assert "where g' = " in message
    assert message.split("at z = ")[1].split()[0] in {f"{z:.9g}" for z in oracle.grid(kernel.dtype)}


@kernels.by_kernel([kernel for kernel in SHARP if kernel.dtype is Dtype.FLOAT64])
def test_one_part_in_a_million_is_too_much(kernel: KernelId) -> None:
    assert kernel.id in refusal(kernel, spoilt(lambda _, g: g * (1 + 1e-6)))


def off_by(part: float) -> Callable[..., Evaluation]:
    return spoilt(lambda _, g: g * (1 + part))


@kernels.by_kernel(SHARP)
def test_twenty_ulp_are_too_much_and_one_more_is_not(kernel: KernelId) -> None:
    eps = float(np.finfo(kernel.dtype).eps)
    for unit in (eps, -eps):
        refusal(kernel, off_by(20 * unit))
        oracle.check(resolve(kernel), off_by(unit))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(SHARP), st.data())
def test_a_single_wrong_element_is_found_and_its_z_named(kernel: KernelId, data: st.DataObject) -> None:
    grid = oracle.grid(kernel.dtype)
    index = data.draw(st.integers(0, grid.size - 1))

    def change(_: Array, g: Array) -> Array:
        g[index] = g[index] * 1.01 + 0.01
        return g

    named = float(refusal(kernel, spoilt(change)).split("at z = ")[1].split()[0])
    assert named == pytest.approx(grid[index], rel=1e-8, abs=0)
    assert np.signbit(named) == np.signbit(grid[index]), "-0 is another z than 0"


@pytest.mark.parametrize(("activation", "dtype"), [*product(("logistic", "tanh"), WIDE)])
def test_where_digits_cancel_the_absolute_error_is_still_held_to_a_few_eps(activation: str, dtype: Dtype) -> None:
    kernel = KernelId(activation, Variant("cached"), "numpy", Op.DERIVATIVE, dtype)
    eps = np.finfo(dtype).eps
    message = refusal(kernel, spoilt(lambda z, g: np.where(z > 5, g + 20 * eps, g)))
    assert float(message.split("at z = ")[1].split()[0]) > 5


@pytest.mark.parametrize("op", FIRST_ORDER)
def test_float64_for_float32_is_refused(op: Op) -> None:
    kernel = KernelId("tanh", Variant("recompute"), "numpy", op, Dtype.FLOAT32)

    def widened(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        return Evaluation(right.derivative.astype(np.float64), right.y)

    message = refusal(kernel, widened)
    assert message == f"{kernel.id} is wrong: it returns float64 where float32 is expected"


@pytest.mark.parametrize(
    "reshape",
    [lambda g: g[:-1], lambda g: g[:, np.newaxis], lambda g: g.sum(keepdims=True), lambda g: np.append(g, g[:1])],
    ids=["one too few", "a column", "one for all", "one too many"],
)
def test_another_shape_is_refused(reshape: Callable[[Array], Array]) -> None:
    kernel = KernelId("tanh", Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda k, z, dy: Evaluation(reshape(kernels.evaluate(k, z, dy).derivative), None))
    assert message.startswith(f"{kernel.id} is wrong: it returns shape (")


@kernels.by_kernel([kernel for kernel in SAFE if kernel.op is Op.STEP])
def test_a_step_whose_output_is_wrong_is_refused(kernel: KernelId) -> None:
    def wrong_output(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        assert right.y is not None
        return Evaluation(right.derivative, np.where(z == 1.0, right.y + np.dtype(kernel.dtype).type(0.01), right.y))

    assert f"{kernel.id} is wrong: at z = 1 it gives" in (message := refusal(kernel, wrong_output))
    assert "where y = " in message


def test_a_step_whose_output_has_another_type_is_refused() -> None:
    kernel = KernelId("tanh", Variant("recompute"), "numpy", Op.STEP, Dtype.FLOAT32)

    def widened(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        assert right.y is not None
        return Evaluation(right.derivative, right.y.astype(np.float64))

    assert "returns float64" in refusal(kernel, widened)


EVERY_STRATEGY = [
    kernel
    for kernel in KERNELS
    if (kernel.backend, kernel.op) == ("numpy", Op.DERIVATIVE)
    for weaknesses in [kernels.weaknesses(kernel)]
    if all(weakness.flaw is not Flaw.OVERFLOWS for weakness in weaknesses)
]


@pytest.mark.parametrize(
    "kernel",
    first_of_each(EVERY_STRATEGY, lambda kernel: (kernel.strategy, kernel.dtype)),
    ids=lambda kernel: kernel.id,
)
def test_what_is_wrong_in_whatever_way_is_refused_for_every_strategy(kernel: KernelId) -> None:
    """What leaves the results as they are, such as to square those of a rectifier, is no change."""
    z = oracle.points(registry.activation(kernel.activation), kernel.dtype)
    right = kernels.evaluate(kernel, z, np.ones_like(z)).derivative
    for what, change in WRONG.items():
        with np.errstate(all="ignore"):
            changes_little = np.allclose(change(z, right), right, rtol=1e-3, atol=1e-3, equal_nan=True)
            message = "" if changes_little else refusal(kernel, spoilt(change))
        assert changes_little or message.startswith(f"{kernel.id} is wrong: at z = "), what


def test_a_derivative_of_another_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "mistaken", recompute=lambda z: 1.0 / (1.0 + z * z))
    for dtype in WIDE:
        kernel = KernelId("mistaken", Variant("recompute"), "numpy", Op.DERIVATIVE, dtype)
        assert kernel.id in refusal(kernel, kernels.evaluate)
