"""Kernels in any honest style pass."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.formula import Extension, Flaw, Strategy, Weakness
from actbench.kernels.operands import Array, Operands
from actbench.kernels.resolution import kernel, resolve
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import FIRST_ORDER, Dtype, Op
from actbench.model.variants import Variant
from actbench.verification.behaviour.guarded import GuardedCalls
from actbench.verification.behaviour.reference import Reference
from tests.support.judged import block, declared, refusal
from tests.support.registered import register
from tests.support.written import in_place, one, right


def right_again(kept: Array) -> Array:
    return right(kept)


def through_ctypes(z: Array) -> Array:
    """Copy the operand by its address, as a C function would read it."""
    copied = np.empty_like(z)
    ctypes.memmove(copied.ctypes.data, z.ctypes.data, z.nbytes)
    return right(copied)


def by_table(z: Array) -> Array:
    """Interpolate nothing: look every z up among those that are different."""
    values, places = np.unique(z, return_inverse=True)
    return right(values)[places]


def in_two_parts(z: Array) -> Array:
    out = np.empty_like(z)
    np.copyto(out[: z.size // 2], right(z[: z.size // 2]))
    np.copyto(out[z.size // 2 :], right(z[z.size // 2 :]))
    return out


HONEST: dict[str, Callable[..., Any]] = {
    "on a copy, in place": lambda z: in_place(z.copy()),
    "by where": lambda z: np.where(z < 0, right(-z), right(z)),
    "in float64 inside": lambda z: right(z.astype(np.float64)).astype(z.dtype),
    "by table": by_table,
    "in two parts": in_two_parts,
    "through ctypes": through_ctypes,
    "from the last element on": lambda z: right(z[::-1])[::-1],
}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_kernel_whose_residuals_are_kept_narrowly_passes(backend: str) -> None:
    kernel = resolve(KernelId("logistic", Variant("cached:float16"), backend, Op.BACKWARD, Dtype.FLOAT32))
    z = np.linspace(-4.0, 4.0, 1000, dtype=np.float32)
    assert not GuardedCalls().call(kernel, Operands(kernel.activation, z)).faults


def test_a_strategy_of_ones_own_passes_on_lists_as_on_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, right, "logistic", scalar=lambda z: math.exp(-abs(z)) / (1.0 + math.exp(-abs(z))) ** 2)
    assert not refusal(Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 100, (Arm(Variant("mine"), "python"),)))


@pytest.mark.parametrize(
    "formula",
    [lambda z: np.sign(np.maximum(z, 0)), lambda z: 1 - (z <= 0).astype(z.dtype), lambda z: (z > 0).astype(z.dtype)],
)
def test_comparisons_of_ones_own_may_fall_out_either_way_at_nan(
    monkeypatch: pytest.MonkeyPatch, formula: Callable[..., Any]
) -> None:
    declared(monkeypatch, formula, "relu", scalar=None)
    assert not refusal(block("relu"))
    declared(monkeypatch, lambda z: np.where(np.isnan(z), 0.5, formula(z)), "relu", scalar=None)
    assert "at z = NaN it gives 0.5" in refusal(block("relu"))


def test_y_of_ones_own_may_lack_the_digits_that_its_arithmetic_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy import special

    def said(save: Callable[[Array], Any]) -> str:
        extension = Extension("logistic", "mine", "for a test", lambda _: Strategy(right_again, save=save))
        original = registry.activation("logistic")
        with monkeypatch.context() as patch:
            register(patch, original.with_strategy(extension))
            return refusal(block(op=Op.STEP, dtype=Dtype.FLOAT32))

    assert not said(lambda z: (special.expit(z), z.copy()))  # 0 where y is subnormal
    assert "where y = " in said(lambda z: (special.expit(z) * z.dtype.type(1.00001), z.copy()))


def test_where_no_weakness_is_declared_a_strategy_is_right_as_far_as_its_arithmetic_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scipy import special

    def build(_: Any) -> Strategy:
        cancels = Weakness(Flaw.CANCELS, "1 - s cancels", lambda z, _: z > 0)
        return Strategy(lambda z: special.expit(z) * (1 - special.expit(z)), weaknesses=(cancels,))

    extended = registry.activation("logistic").with_strategy(Extension("logistic", "mine", "for a test", build))
    register(monkeypatch, extended)
    assert not refusal(block(dtype=Dtype.FLOAT32))  # g' is subnormal where this is 0


def test_a_weakness_that_merges_excuses_nothing_where_y_is_not_that_at_the_kink(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def said(where: Callable[[Array, Any], Any]) -> str:
        def build(_: Any) -> Strategy:
            merges = Weakness(Flaw.MERGES, "y rounds", where)
            return Strategy(lambda y: ((y > 0) & (y < 1)) / y.dtype.type(6.0), weaknesses=(merges,))

        extended = original.with_strategy(Extension("hard-sigmoid", "mine", "for a test", build))
        register(monkeypatch, extended)
        return refusal(block("hard-sigmoid"))

    original = registry.activation("hard-sigmoid")
    assert not said(lambda z, fmt: (z < 3) & (z > 3 - 8 * fmt.eps))

    def zero(_: Any) -> Strategy:
        everywhere = Weakness(Flaw.MERGES, "y rounds", lambda z, _: abs(z) >= 0)
        return Strategy(lambda z: np.zeros(z.size, z.dtype), weaknesses=(everywhere,))

    extended = registry.activation("relu").with_strategy(Extension("relu", "mine", "for a test", zero))
    register(monkeypatch, extended)
    assert "gives 0 where g' = 1" in refusal(block("relu"))


@pytest.mark.parametrize("style", HONEST)
@pytest.mark.parametrize("op", FIRST_ORDER)
def test_a_right_kernel_passes_however_it_is_written(monkeypatch: pytest.MonkeyPatch, style: str, op: Op) -> None:
    declared(monkeypatch, HONEST[style], "logistic", scalar=one)
    assert not refusal(block(op=op, dtype=Dtype.FLOAT32, size=2000))


@pytest.mark.parametrize("name", ["softmax", "logsumexp"])
def test_what_is_kept_of_a_result_is_a_copy_since_the_next_arm_writes_to_the_same_memory(name: str) -> None:
    recomputing = kernel(KernelId(name, Variant("recompute"), "numba", Op.BACKWARD, Dtype.FLOAT64))
    operands = Operands.drawn(recomputing.activation, Dtype.FLOAT64, 12, seed=1, rows=3)
    result: Array = np.arange(12.0)
    kept = Reference(operands).at(recomputing, np.array([5]), result)
    result.fill(np.nan)
    assert kept.computed.tolist() == [4.0, 5.0, 6.0, 7.0]
