"""What frameworks ship, as strategy ``shipped`` executes it: values, what is kept, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends import Backend
from actbench.backends._framework import Framework
from actbench.engine.protocol import Inspect, Inspected
from actbench.engine.working.worker import Server
from actbench.errors import InputError, WrongKernelError
from actbench.kernels.calls import WarmCalls
from actbench.kernels.cold_calls import calls_of
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import kernel, resolve
from actbench.kernels.rotation import Rotation
from actbench.model.cases import KernelId
from actbench.model.names import FIRST_ORDER, WIDE, Dtype, Op, OperandState
from actbench.model.sizes import sizes
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.planning import suite
from actbench.planning.presets import Axes
from actbench.planning.selection import Room
from actbench.verification import oracle
from actbench.verification.evaluation import Evaluation
from actbench.verification.truth import truth_at
from benchmarks import framework_activations
from tests.support.peers import usable

FRAMEWORKS = [usable("torch"), usable("jax")]

Array = np.ndarray[Any, Any]

SIZE = 1000


def shipping(name: str) -> list[str]:
    """Return the activations that a framework ships."""
    backend = registry.backends()[name]
    return [activation for activation in registry.elementwise() if not backend.unshipped(activation)]


def kernel_id(activation: str, backend: str, op: Op, dtype: Dtype = Dtype.FLOAT64) -> KernelId:
    return KernelId(activation, SHIPPED, backend, op, dtype)


def results(identity: KernelId, z: Array, dy: Array) -> list[Array]:
    """Return the results of one call."""
    subject = resolve(identity)
    placement = Placement(Operands(subject.activation, z, dy), np.random.default_rng(1))
    return subject.invocation(z.size, placement).results()


def evaluate(identity: KernelId, z: Array, dy: Array) -> Evaluation:
    outputs = results(identity, z, dy)
    return Evaluation(outputs[-1], outputs[0] if identity.op is Op.STEP else None)


@pytest.fixture
def inputs() -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    return rng.uniform(-5, 5, SIZE), rng.choice([1.0, -2.0, 0.5], SIZE)


# What there is


@pytest.mark.parametrize(("name", "least"), [("torch", 25), ("jax", 24)])
def test_a_framework_ships_every_activation_that_it_has(name: str, least: int) -> None:
    """Known without the library; what returns its operand computes nothing, and is left out."""
    assert len(shipping(name)) == least
    assert "computes nothing" in str(registry.backends()[name].unshipped("identity"))
    assert registry.backends()[name].unshipped("gaussian") == f"{name} has no gaussian of its own"


def test_a_backend_without_activations_is_left_out_with_the_reason() -> None:
    identity = kernel_id("gelu", "numpy", Op.STEP)
    assert resolve(identity).unsupported == "numpy has no activations of its own"
    with pytest.raises(InputError, match="numpy has no activations of its own"):
        resolve(identity).require_supported()


def test_what_is_kept_is_the_choice_of_the_framework() -> None:
    with pytest.raises(InputError, match="unknown strategy 'shipped:float16'"):
        registry.variant("shipped:float16")


def test_what_is_shipped_joins_a_selection_that_names_frameworks_and_no_strategies() -> None:
    axes = Axes(
        *(("gelu",), (Variant("recompute"),), ("numpy",), (Op.STEP,), (Dtype.FLOAT32,), sizes(SIZE)),
    )
    assert axes.with_named({"backends": ("torch", "numpy")}).strategies == ("recompute", "shipped")
    assert axes.with_named({"backends": ("numpy", "numba")}).strategies == ("recompute",)
    named = {"backends": ("torch",), "strategies": (Variant("recompute"),)}
    assert axes.with_named(named).strategies == ("recompute",)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_worker_reads_no_code_of_a_framework(name: str) -> None:
    request = Inspect(kernel_id("gelu", name, Op.STEP).at(1).id)
    assert Server().answer(request) == Inspected(None, None)
    assert "erf" in "".join(resolve(kernel_id("gelu", name, Op.STEP)).functions)  # those of recompute


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_plan_loads_no_framework_to_know_what_it_keeps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def loading(*_: object) -> None:
        raise AssertionError("the library is loaded")

    monkeypatch.setattr(Framework, "autograd", loading)
    axes = Axes(("gelu",), (SHIPPED,), (name,), FIRST_ORDER, (Dtype.FLOAT32,), sizes(100_000), tuple(OperandState))
    assert len(suite.plan(axes, Room(1 << 34, 1 << 25), seed=1).cases) == 9


# What it computes


@pytest.mark.parametrize("op", FIRST_ORDER)
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_values_are_near_the_truth(name: str, op: Op, inputs: tuple[Array, Array]) -> None:
    z, dy = inputs
    for activation in shipping(name):
        slope, output = (known.nearest for known in truth_at(registry.activation(activation), z))
        outputs = results(kernel_id(activation, name, op), z, dy)
        expected = slope if op is Op.DERIVATIVE else slope * dy
        np.testing.assert_allclose(outputs[-1], expected, rtol=1e-3, atol=1e-6, err_msg=activation)
        if op is Op.STEP:
            np.testing.assert_allclose(outputs[0], output, rtol=1e-3, atol=1e-6, err_msg=activation)


PARAMETERS = (
    *("celu:alpha=2", "elu:alpha=0.5", "leaky-relu:slope=0.2", "softplus:beta=2"),
    *("hard-shrink:threshold=1.5", "soft-shrink:threshold=1.5", "threshold:threshold=0.5:value=2"),
)
"""Activations with parameters that are constants of torch's kernels."""


@pytest.mark.parametrize("name", [usable("torch")])
def test_a_kernel_called_directly_gives_what_autograd_gives(name: str, inputs: tuple[Array, Array]) -> None:
    z, dy = inputs
    for activation in (*shipping(name), *PARAMETERS):
        directly, by_autograd = (results(kernel_id(activation, name, op), z, dy) for op in (Op.BACKWARD, Op.STEP))
        np.testing.assert_array_equal(directly[-1], by_autograd[-1], activation)


@pytest.mark.parametrize("state", [OperandState.RESIDUALS_COLD, OperandState.COLD])
@pytest.mark.parametrize("op", FIRST_ORDER)
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_calls_on_operands_from_memory_give_the_same(
    name: str, op: Op, state: OperandState, inputs: tuple[Array, Array]
) -> None:
    z, dy = inputs
    for activation in ("gelu", "exp", "softsign", "log-sigmoid", "logistic"):
        subject = resolve(kernel_id(activation, name, op))
        operands = Operands(subject.activation, z, dy)
        rotation = Rotation(operands, state, 6, np.random.default_rng(1))
        placement = Placement(operands, np.random.default_rng(2))
        calls = calls_of(subject, SIZE, rotation, placement)
        warm = WarmCalls(subject.invocation(SIZE, placement)).results()
        for _ in range(3):
            calls.timed(4)()
            cold = calls.results()
            np.testing.assert_array_equal(cold[0], warm[0], activation)
            np.testing.assert_array_equal(cold[-1], warm[-1], activation)
        assert not [*rotation.changed_anywhere([slice(0, SIZE)])]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses what torch deprecates
@pytest.mark.parametrize("name", [usable("torch-compile")])
def test_a_compiled_function_is_that_of_the_framework(name: str, inputs: tuple[Array, Array]) -> None:
    z, dy = inputs
    slope, _ = truth_at(registry.activation("gelu"), z)
    for op in FIRST_ORDER:
        dz = results(kernel_id("gelu", name, op), z, dy)[-1]
        np.testing.assert_allclose(dz, slope.nearest * (1 if op is Op.DERIVATIVE else dy), rtol=1e-6, atol=1e-9)


# What it keeps


def counted_by_torch(backend: Backend, activation: str, z: Array) -> int:
    """Return the bytes that the hooks of autograd count."""
    import torch

    leaf, held = torch.from_numpy(z.copy()).requires_grad_(), {}

    def pack(tensor: Any) -> Any:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        backend.shipped_function(activation)(leaf)  # type: ignore[attr-defined]
    return sum(held.values())


def counted_by_jax(backend: Backend, activation: str, z: Array) -> int:
    """Return the bytes of the arrays that jax.vjp holds where it is not compiled."""
    import jax

    _, vjp = jax.vjp(backend.shipped_function(activation), jax.numpy.array(z))  # type: ignore[attr-defined]
    leaves = [leaf for leaf in jax.tree.leaves(vjp) if leaf.shape == z.shape]
    return sum({leaf.unsafe_buffer_pointer(): leaf.nbytes for leaf in leaves}.values())


COUNTED: dict[str, Callable[[Backend, str, Array], int]] = {"torch": counted_by_torch, "jax": counted_by_jax}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_bytes_kept_are_those_that_the_framework_holds(name: str) -> None:
    z = np.random.default_rng(0).standard_normal(SIZE)
    for activation in shipping(name):
        subject = resolve(kernel_id(activation, name, Op.STEP))
        assert SIZE * subject.kept_bytes == COUNTED[name](subject.backend, activation, z), activation


@pytest.mark.parametrize("name", [usable("torch")])
def test_gelu_keeps_z_and_the_logistic_function_y(name: str) -> None:
    kept = {
        activation: [operand.name for operand in kernel(kernel_id(activation, name, Op.BACKWARD)).residuals]
        for activation in ("gelu", "silu", "logistic", "tanh", "relu", "log-sigmoid")
    }
    assert kept == {
        **{name: ["z"] for name in ("gelu", "silu")},
        **{name: ["y"] for name in ("logistic", "tanh", "relu")},
        "log-sigmoid": ["z", "saved_1"],
    }


# What is said of it


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_it_passes_the_oracle_whatever_its_error_is(name: str) -> None:
    for activation in shipping(name):
        for dtype in WIDE:
            identity = kernel_id(activation, name, Op.BACKWARD, dtype)
            check = oracle.check(resolve(identity), evaluate)
            assert check.kept_bytes == resolve(identity).kept_bytes
            assert all(why.startswith((f"as shipped by {name}", "XLA")) for why in check.weaknesses)


@pytest.mark.parametrize("name", [usable("torch")])
def test_where_its_derivative_is_0_is_said(name: str) -> None:
    check = oracle.check(resolve(kernel_id("gelu", name, Op.BACKWARD, Dtype.FLOAT32)), evaluate)
    assert "g' is 0 from z = -14" in check.weaknesses[0]


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize(
    "spoilt", [lambda dz: 1.05 * dz, lambda dz: np.full_like(dz, np.nan), lambda dz: dz.astype(np.float32)]
)
def test_another_function_is_refused(name: str, spoilt: Callable[[Array], Array]) -> None:
    def spoiling(identity: KernelId, z: Array, dy: Array) -> Evaluation:
        return Evaluation(spoilt(evaluate(identity, z, dy).derivative), None)

    with pytest.raises(WrongKernelError):
        oracle.check(resolve(kernel_id("gelu", name, Op.BACKWARD)), spoiling)


def test_every_activation_of_an_installed_framework_is_there_or_left_out_for_a_reason() -> None:
    assert framework_activations.missing() == []


@pytest.mark.parametrize(
    ("name", "expected"), [("Hardtanh", "hard-tanh"), ("swish", "silu"), ("Softmax2d", "along rows"), ("New", None)]
)
def test_an_activation_of_a_framework_has_a_name_or_a_reason(name: str, expected: str | None) -> None:
    assert framework_activations.answer(name) == expected
