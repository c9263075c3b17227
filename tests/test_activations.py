from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbench import activations
from actbench.errors import InputError
from actbench.formula import Dialect, Flaw
from actbench.kernel import Array
from actbench.model import STRATEGIES, Dtype, Kernel, Op
from tests import kernels

EVERY = kernels.every_kernel()
DERIVATIVES = [kernel for kernel in EVERY if kernel.op is Op.DERIVATIVE]

ULP = 8.0
"""What every strategy is held to where its digits do not cancel."""

FEW_EPS = 4.0
"""What is left, in absolute terms, where they do."""

ORDINARY = 8.0
"""The |z| that normalised layers see."""


def ordinary(dtype: Dtype) -> Array:
    drawn = np.random.default_rng(1).uniform(-ORDINARY, ORDINARY, 200)
    return np.concatenate([np.linspace(-ORDINARY, ORDINARY, 129), drawn, [-0.0]]).astype(dtype)


def cancels(kernel: Kernel) -> bool:
    weaknesses = activations.get(kernel.activation).strategies[kernel.strategy].weaknesses
    return any(weakness.flaw is Flaw.CANCELS for weakness in weaknesses)


def of(activation: str, strategy: str, dtype: Dtype | None = None) -> list[Kernel]:
    return [
        kernel
        for kernel in DERIVATIVES
        if (kernel.activation, kernel.strategy) == (activation, strategy) and dtype in (None, kernel.dtype)
    ]


def identified(chosen: list[Kernel]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kernel", chosen, ids=lambda kernel: kernel.id)


def test_every_activation_file_is_discovered_and_summarised() -> None:
    files = {path.stem for path in Path(activations.__file__).parent.glob("[!_]*.py")}
    assert set(activations.catalogue()) == files
    assert all(activation.summary for activation in activations.catalogue().values())


def test_every_strategy_is_one_of_the_vocabulary() -> None:
    for activation in activations.catalogue().values():
        assert set(activation.strategies) <= set(STRATEGIES)
        assert "recompute" in activation.strategies


def test_an_independent_truth_is_known_for_every_activation() -> None:
    assert set(kernels.TRUTH) == set(activations.catalogue())


def test_an_unknown_activation_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown activation 'logistc': did you mean 'logistic'"):
        activations.get("logistc")


@pytest.mark.parametrize(
    ("activation", "strategy", "residuals"),
    [
        ("identity", "recompute", ("z",)),
        ("logistic", "textbook", ("z",)),
        ("logistic", "recompute", ("z",)),
        ("logistic", "cached", ("y",)),
        ("logistic", "complement", ("c",)),
        ("tanh", "textbook", ("z",)),
        ("tanh", "recompute", ("z",)),
        ("tanh", "cached", ("y",)),
        ("tanh", "complement", ("c",)),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_the_name_of_its_parameter_is_what_a_strategy_keeps(
    activation: str, strategy: str, residuals: tuple[str, ...], dialect: Dialect
) -> None:
    assert activations.get(activation).rule(strategy, dialect, math).residuals == residuals


@identified([kernel for kernel in EVERY if not cancels(kernel)])
def test_where_nothing_cancels_the_derivative_is_accurate_to_8_ulp(kernel: Kernel) -> None:
    z = ordinary(kernel.dtype)
    dy = np.resize([1.0, -2.0], z.size).astype(kernel.dtype) if kernel.op is not Op.DERIVATIVE else np.ones_like(z)
    derivative = kernels.outputs(kernel, z, dy)[-1] / dy
    assert kernels.ulps(derivative, kernels.slope(kernel.activation, z)).max() <= ULP


@identified([kernel for kernel in EVERY if cancels(kernel)])
def test_where_digits_cancel_the_error_is_a_few_eps_in_absolute_terms(kernel: Kernel) -> None:
    z = ordinary(kernel.dtype)
    dy = np.resize([1.0, -2.0], z.size).astype(kernel.dtype) if kernel.op is not Op.DERIVATIVE else np.ones_like(z)
    derivative = kernels.outputs(kernel, z, dy)[-1] / dy
    slope = kernels.slope(kernel.activation, z)
    unit = np.spacing(np.abs(kernels.rounded(slope, kernel.dtype)))
    eps = float(np.finfo(kernel.dtype).eps)
    error = kernels.ulps(derivative, slope)
    assert (error * unit).max() <= FEW_EPS * eps
    assert error.max() > ULP


@identified([kernel for kernel in EVERY if kernel.op is Op.STEP])
def test_a_step_also_gives_the_output(kernel: Kernel) -> None:
    z = ordinary(kernel.dtype)
    y = kernels.outputs(kernel, z)[0]
    assert kernels.ulps(y, kernels.output(kernel.activation, z)).max() <= ULP


@identified(EVERY)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_results_have_the_kernels_dtype_and_shape(kernel: Kernel, size: int) -> None:
    z = np.linspace(-3.0, 3.0, size, dtype=kernel.dtype)
    found = kernels.outputs(kernel, z)
    assert {(array.dtype, array.shape) for array in found} == {(np.dtype(kernel.dtype), (size,))}


@identified([kernel for kernel in EVERY if kernel.op is not Op.DERIVATIVE])
def test_the_upstream_gradient_is_a_factor(kernel: Kernel) -> None:
    z = ordinary(kernel.dtype)
    dy = np.random.default_rng(2).standard_normal(z.size).astype(kernel.dtype)
    np.testing.assert_array_equal(kernels.outputs(kernel, z, dy)[-1], dy * kernels.outputs(kernel, z)[-1])


@identified([kernel for kernel in EVERY if kernel.backend == "python" and kernel.strategy != "textbook"])
@given(z=st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None, max_examples=60)
def test_pure_python_raises_for_no_finite_z(kernel: Kernel, z: float) -> None:
    assert np.isfinite(kernels.outputs(kernel, np.array([z]))[-1]).all()


@identified([kernel for kernel in DERIVATIVES if kernel.activation != "identity" and kernel.strategy != "textbook"])
@given(z=st.floats(0, 30, width=32))
@settings(deadline=None, max_examples=30)
def test_the_derivative_is_even_where_it_is_mathematically_so(kernel: Kernel, z: float) -> None:
    left, right = kernels.outputs(kernel, np.array([-z, z], dtype=kernel.dtype))[-1].tolist()
    assert left == pytest.approx(right, rel=1e-5, abs=FEW_EPS * float(np.finfo(kernel.dtype).eps))


@pytest.mark.parametrize(("dtype", "gone"), [(Dtype.FLOAT64, 37.43), (Dtype.FLOAT32, 17.33)])
def test_the_cached_logistic_derivative_vanishes_once_the_output_rounds_to_1(dtype: Dtype, gone: float) -> None:
    just_before, there, beyond = z = np.array([gone - 0.01, gone + 0.01, 2 * gone], dtype=dtype)
    y = kernels.rounded(kernels.output("logistic", z), dtype)
    for kernel in of("logistic", "cached", dtype):
        assert (kernels.from_residual(kernel, y) == 0).tolist() == [False, True, True]
        assert not kernels.outputs(kernel, np.array([there, beyond]))[-1].any()
        assert kernels.outputs(kernel, -z)[-1].all(), "the other tail keeps its digits"
    for kernel in of("logistic", "recompute", dtype) + of("logistic", "complement", dtype):
        assert kernels.outputs(kernel, np.array([just_before, there, beyond]))[-1].all()


@pytest.mark.parametrize(("dtype", "gone"), [(Dtype.FLOAT64, 19.06), (Dtype.FLOAT32, 9.011)])
def test_the_cached_tanh_derivative_vanishes_once_the_output_rounds_to_1(dtype: Dtype, gone: float) -> None:
    just_before, there, beyond = z = np.array([gone - 0.01, gone + 0.01, 2 * gone], dtype=dtype)
    y = kernels.rounded(kernels.output("tanh", z), dtype)
    for kernel in of("tanh", "cached", dtype):
        for side in (1, -1):
            assert (kernels.from_residual(kernel, side * y) == 0).tolist() == [False, True, True]
            assert not kernels.outputs(kernel, side * z[2:])[-1].any()
    for kernel in of("tanh", "recompute", dtype) + of("tanh", "complement", dtype):
        assert kernels.outputs(kernel, np.array([just_before, there, beyond]))[-1].all()


@identified([kernel for kernel in of("logistic", "textbook") if kernel.backend != "python"])
def test_the_textbook_logistic_derivative_turns_0_and_then_nan(kernel: Kernel) -> None:
    zero, nan = {Dtype.FLOAT64: (-354.9, -709.8), Dtype.FLOAT32: (-44.4, -88.7)}[kernel.dtype]
    z = np.array([0.995 * zero, 1.005 * zero, 0.995 * nan, 1.005 * nan], dtype=kernel.dtype)
    last_number, first_zero, last_zero, first_nan = kernels.outputs(kernel, z)[-1]
    assert last_number > 0
    assert first_zero == last_zero == 0
    assert np.isnan(first_nan)


def test_the_textbook_logistic_derivative_overflows_in_pure_python() -> None:
    (kernel,) = (kernel for kernel in of("logistic", "textbook") if kernel.backend == "python")
    assert kernels.outputs(kernel, np.array([-355.0, -709.7]))[-1].tolist() == [0.0, 0.0]
    with pytest.raises(OverflowError):
        kernels.outputs(kernel, np.array([-709.8]))


def test_the_textbook_tanh_derivative_overflows_on_both_sides() -> None:
    for kernel in of("tanh", "textbook"):
        out = {Dtype.FLOAT64: 711.0, Dtype.FLOAT32: 90.0}[kernel.dtype]
        for z in (np.array([side * out], dtype=kernel.dtype) for side in (1, -1)):
            if kernel.backend == "python":
                with pytest.raises(OverflowError):
                    kernels.outputs(kernel, z)
            else:
                assert np.isnan(kernels.outputs(kernel, z)[-1]).all()


@identified([kernel for kernel in EVERY if kernel.activation == "identity"])
@given(z=st.floats(width=32, allow_nan=False))
@settings(deadline=None, max_examples=20)
def test_the_derivative_of_the_identity_is_1(kernel: Kernel, z: float) -> None:
    assert kernels.outputs(kernel, np.array([z], dtype=kernel.dtype))[-1].tolist() == [1.0]
