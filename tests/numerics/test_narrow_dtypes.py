"""Arithmetic in 16 bits, where a backend has it: what the oracle allows is in ULP of that type."""

from __future__ import annotations

import numpy as np
import pytest

from actbench import registry
from actbench.kernels.operands import Operand, Operands
from actbench.kernels.placement import Placement
from actbench.kernels.resolution import network_step, resolve
from actbench.kernels.training_arrays import drawn
from actbench.model.cases import Case, KernelId
from actbench.model.checks import Check
from actbench.model.inputs import STANDARD_NORMAL
from actbench.model.names import NARROW, Dtype, Op, training
from actbench.model.number_formats import clipped, limits, numpy_dtype
from actbench.model.training import SHIPPED, Optimizer
from actbench.model.variants import Variant
from actbench.verification import oracle
from actbench.verification.training import check as check_step
from tests.support import kernels
from tests.support.peers import usable
from tests.support.tiers import exhaustive_but

COMPUTING = [
    name
    for name, backend in registry.backends().items()
    if {*NARROW} <= {*backend.dtypes} and not (backend.on_device or backend.threaded)
]
each_computing = pytest.mark.parametrize("backend", [usable(name) for name in COMPUTING if name != "torch-compile"])
each_dtype = pytest.mark.parametrize("dtype", NARROW)
each_activation = pytest.mark.parametrize("activation", exhaustive_but(registry.elementwise(), "logistic".__eq__))


def checked(kernel: KernelId) -> Check | None:
    """Hold a kernel to the truth; None where there is no such kernel."""
    subject = resolve(kernel)
    if subject.unsupported:
        return None
    check = oracle.check(subject, kernels.evaluate)
    oracle.check_calls(subject, kernels.evaluate)
    return check


@each_computing
@each_dtype
@each_activation
def test_every_strategy_is_as_accurate_as_it_declares_in_16_bits(backend: str, dtype: Dtype, activation: str) -> None:
    strategies = [*map(Variant, registry.activation(activation).strategies), SHIPPED]
    for turn, strategy in enumerate(strategies):
        checked(KernelId(activation, strategy, backend, [*Op][turn % 3], dtype))


@pytest.mark.exhaustive
@each_computing
@each_dtype
@pytest.mark.parametrize("activation", registry.elementwise())
def test_second_derivatives_are_as_accurate_as_declared_in_16_bits(backend: str, dtype: Dtype, activation: str) -> None:
    for strategy in registry.activation(activation).strategies:
        checked(KernelId(activation, Variant(strategy), backend, Op.SECOND, dtype))


@each_dtype
def test_what_a_framework_ships_rounds_once(dtype: Dtype) -> None:
    if registry.backends()["torch"].unavailable:
        pytest.skip("torch is not installed")
    check = checked(KernelId("silu", SHIPPED, "torch", Op.DERIVATIVE, dtype))
    assert check is not None
    assert check.by_band[9] == pytest.approx(0.5, abs=0.01)


@each_dtype
def test_residuals_of_16_bits_are_the_true_ones_rounded_once(dtype: Dtype) -> None:
    z = np.linspace(-3, 3, 101).astype(numpy_dtype(dtype))
    activation = registry.activation("tanh")
    y = Operands(activation, z).array(Operand("y"))
    assert y.dtype == z.dtype
    _, truth = oracle.truth_at(activation, z)
    assert truth.error(y).max() <= 0.501


@each_dtype
def test_the_limits_of_a_format_are_its_own_numbers(dtype: Dtype) -> None:
    fmt = limits(dtype)
    largest = {Dtype.FLOAT16: 65504.0, Dtype.BFLOAT16: 3.3895313892515355e38}[dtype]
    assert float(fmt.max) == largest
    assert numpy_dtype(dtype).type(1) + fmt.eps > 1
    infinite = np.array([-np.inf, 1, np.inf], numpy_dtype(dtype))
    assert clipped(infinite, fmt.max).tolist() == [-largest, 1, largest]
    assert clipped(infinite, fmt.max).dtype == infinite.dtype


@pytest.mark.parametrize("dtype", NARROW)
def test_the_points_at_which_kernels_are_checked_are_distinct_numbers_of_the_format(dtype: Dtype) -> None:
    z = oracle.points(registry.activation("hard-swish"), dtype)
    assert z.dtype == numpy_dtype(dtype)
    assert np.isfinite(z).all()
    assert np.unique(z).size == z.size - 1  # -0 and 0
    assert {float(limits(dtype).max), float(limits(dtype).smallest_subnormal), 3.0} <= {*z.tolist()}


@each_dtype
def test_compiled_loops_compute_in_float32_and_round_once(dtype: Dtype) -> None:
    kernel = KernelId("logistic", Variant("recompute"), "numba-simd", Op.DERIVATIVE, dtype)
    z = np.linspace(-8, 8, 999).astype(numpy_dtype(dtype))
    (computed,) = kernels.outputs(kernel, z)
    wide = KernelId("logistic", Variant("recompute"), "numba-simd", Op.DERIVATIVE, Dtype.FLOAT32)
    (expected,) = kernels.outputs(wide, z.astype(np.float32))
    assert np.array_equal(computed, expected.astype(z.dtype))
    compiled = resolve(kernel).compiled
    assert compiled is not None
    assert compiled.vector_bits >= 128
    assert not compiled.library_calls


@each_dtype
def test_the_copy_that_every_block_has_needs_no_arithmetic(dtype: Dtype) -> None:
    case = KernelId("logistic", Variant("recompute"), "numba-simd", Op.STEP, dtype).at(7)
    yardstick = resolve(case.empty_block.yardstick.kernel)
    assert yardstick.unsupported is None
    operands = Operands.drawn(registry.activation("logistic"), dtype, 7, seed=1)
    invocation = yardstick.invocation(7, Placement(operands, np.random.default_rng(1)))
    invocation.function(*invocation.arguments)
    assert np.array_equal(invocation.arguments[0], operands.z)


@pytest.mark.parametrize("backend", [usable("torch"), usable("jax")])
@each_dtype
def test_the_gradients_of_a_training_step_are_right_to_a_few_eps(backend: str, dtype: Dtype) -> None:
    step = network_step(Case("tanh", Variant("cached"), backend, training("mlp:64-32-8"), dtype, 16))
    arrays = drawn(step.network, 16, dtype, 1, STANDARD_NORMAL)
    check = check_step(step, arrays, Optimizer.SGD)
    assert check.error is not None
    assert check.error <= 16 * float(limits(dtype).eps)


@pytest.mark.parametrize("backend", [usable("torch"), usable("jax")])
def test_an_update_in_bfloat16_moves_no_weight(backend: str) -> None:
    step = network_step(Case("tanh", Variant("cached"), backend, training("mlp:64-32-8"), Dtype.BFLOAT16, 16))
    executed = step.step(drawn(step.network, 16, Dtype.BFLOAT16, 1, STANDARD_NORMAL), Optimizer.ADAM)
    first = [np.array(gradient) for gradient in executed.gradients()]
    for _ in range(20):
        executed()
    assert all(map(np.array_equal, first, executed.gradients()))
