"""What frameworks ship of gated activations, as strategy ``shipped`` executes it."""

from __future__ import annotations

import numpy as np
import pytest

from actbench import registry
from actbench.errors import InputError, WrongKernelError
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DA, DB, DY, A, Array, B, Operands
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.behaviour.guarded import GuardedCalls
from actbench.verification.evaluation import Evaluation
from tests.support.peers import usable

NAMES = [name for name, one in registry.activations().items() if one.is_gated]
FRAMEWORKS = [usable("torch"), usable("jax")]


def shipped(name: str, backend: str, op: Op = Op.BACKWARD, dtype: Dtype = Dtype.FLOAT64) -> Kernel:
    return resolution.kernel(KernelId(registry.activation(name).name, SHIPPED, backend, op, dtype))


def answer(of: Kernel, inputs: Array, dy: Array) -> Evaluation:
    """Call a kernel as a worker does."""
    with np.errstate(all="ignore"):
        called = GuardedCalls().call(of, Operands(of.activation, inputs, dy))
    assert not called.faults
    return Evaluation(of.gradient(called.outputs), called.outputs[0] if of.op is Op.STEP else None)


def answers(of: Kernel, factor: float = 1.0) -> oracle.Evaluate:
    """Return what evaluates a kernel, whose gradients may be spoiled by a factor."""

    def evaluate(_: KernelId, inputs: Array, dy: Array) -> Evaluation:
        called = answer(of, inputs, dy)
        return Evaluation((factor * called.derivative).astype(inputs.dtype), called.y)

    return evaluate


def test_frameworks_ship_what_they_have_which_is_known_without_them() -> None:
    for framework in ("torch", "jax"):
        assert [registry.backends()[framework].unshipped(name) for name in NAMES] == [None] * len(NAMES)
    assert registry.backends()["torch"].ships("glu") == "torch.nn.functional.glu(b_a, dim=-1)"
    assert registry.backends()["jax"].ships("geglu") == "jax.nn.gelu(a, approximate=False) * b"
    assert "has no swiglu:beta=2 of its own" in str(shipped("swiglu:beta=2", "torch").unsupported)
    assert "use --op backward, or --op step" in str(shipped("swiglu", "torch", Op.DERIVATIVE).unsupported)
    assert "what frameworks ship of gated activations, such as glu, are warm" in str(
        shipped("glu", "torch").unsupported_cold()
    )
    with pytest.raises(InputError, match="numpy has no swiglu of its own"):
        registry.backend("numpy").function_autograd("swiglu", Dtype.FLOAT64, ("a", "b"))


@pytest.mark.parametrize("backend", FRAMEWORKS)
@pytest.mark.parametrize("op", [Op.BACKWARD, Op.STEP])
def test_the_gradients_are_those_of_the_formula_in_the_order_of_a_and_b(backend: str, op: Op) -> None:
    inputs, dy = np.random.default_rng(0).standard_normal((50, 2)), np.random.default_rng(1).standard_normal(50)
    for name in NAMES:
        ours = resolution.kernel(KernelId(name, Variant("recompute"), "numpy", op, Dtype.FLOAT64))
        ships, right = answer(shipped(name, backend, op), inputs, dy), answer(ours, inputs, dy)
        np.testing.assert_allclose(ships.derivative, right.derivative, atol=1e-14, err_msg=name)
        if ships.y is not None and right.y is not None:
            np.testing.assert_allclose(ships.y, right.y, atol=1e-14, err_msg=name)


@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", FRAMEWORKS)
@pytest.mark.parametrize("dtype", Dtype)
def test_it_passes_the_oracle_whatever_its_error_is(backend: str, dtype: Dtype) -> None:
    for name in NAMES:
        one = shipped(name, backend, Op.STEP, dtype)
        check = oracle.check(one, answers(one))
        oracle.check_calls(one, answers(one))
        assert not [why for why in check.weaknesses if not why.startswith("as shipped by ")]


@pytest.mark.parametrize("backend", [usable("torch")])
def test_what_is_kept_is_the_choice_of_the_framework(backend: str) -> None:
    kept = {name: [one.name for one in shipped(name, backend).residuals] for name in NAMES}
    with_gate = ["a", "b", "saved_1"]
    assert kept == {
        "geglu": with_gate,
        "geglu-tanh": with_gate,
        "glu": ["b", "a"],
        "reglu": ["saved_1", "b"],
        "swiglu": with_gate,
    }
    one = shipped("swiglu", backend, Op.STEP, Dtype.BFLOAT16)
    assert (one.kept_bytes, one.moved_bytes) == (6, 18)
    assert one.reads == (A, B, DY)
    assert one.writes[-2:] == (DA, DB)


@pytest.mark.parametrize("backend", [usable("torch")])
def test_operands_of_a_packed_function_are_joined_before_a_call(backend: str) -> None:
    one = shipped("glu", backend, Op.STEP)
    operands = Operands(one.activation, np.array([[1.0, 3.0], [2.0, 4.0]]))
    arrays = [one.backend.adopt(operands.array(operand)) for operand in one.reads]
    _, _, (packed,), others = one.function_autograd.arguments(Op.STEP, arrays)  # type: ignore[attr-defined]
    assert packed.detach().tolist() == [3.0, 4.0, 1.0, 2.0]
    assert others == ()


@pytest.mark.parametrize("backend", [usable("torch")])
def test_another_function_is_refused_and_lost_digits_are_described(backend: str) -> None:
    one = shipped("glu", backend, dtype=Dtype.FLOAT32)
    (why,) = oracle.check(one, answers(one)).weaknesses
    assert "gradients are off by up to" in why
    with pytest.raises(WrongKernelError, match="1 % is allowed"):
        oracle.check(one, answers(one, 1.05))
