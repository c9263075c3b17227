"""Every kernel against numbers known to fifty digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from actbench import registry
from actbench.formula import Flaw
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.verification import oracle
from tests.support import definitions, kernels
from tests.support.tiers import EXHAUSTIVE

KERNELS = kernels.every_kernel()
DERIVATIVES = [kernel for kernel in KERNELS if kernel.op is Op.DERIVATIVE]

ULP = 8.0
"""What every strategy is held to where it declares nothing."""

SHARP_ULP = 4.0
"""What the stable forms keep to."""

FEW_EPS = 4.0
"""What is left, in absolute terms, where digits cancel."""

PIECEWISE_LINEAR = (
    *("hard-shrink", "hard-sigmoid", "hard-tanh", "leaky-relu", "relu", "relu6", "soft-shrink", "sparse-sigmoid"),
    "threshold",
)
DOUBLED = ("log-cosh", "quick-gelu", "sech", "tanh", "tanh-shrink")
"""Their exponential is of twice |z| or so."""


def has(kernel: KernelId, *flaws: Flaw) -> bool:
    return any(weakness.flaw in flaws for weakness in kernels.weaknesses(kernel))


def of(activation: str, strategy: str, dtype: Dtype | None = None, *, compiled: bool | None = None) -> list[KernelId]:
    return [
        kernel
        for kernel in DERIVATIVES
        if (kernel.activation, kernel.strategy) == (activation, strategy) and dtype in {None, kernel.dtype}
        if compiled in {None, kernel.backend.startswith("numba")}
    ]


compiled_or_not = pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=EXHAUSTIVE)], ids=["not compiled", "compiled"]
)


def differentiated(kernel: KernelId) -> tuple[Array, Array]:
    """Return ordinary z, and g' there as a kernel gives it, upstream gradients divided out."""
    z = kernels.ordinary(kernel.activation, kernel.dtype)
    dy = np.resize([1.0, -2.0], z.size).astype(kernel.dtype) if kernel.op is not Op.DERIVATIVE else np.ones_like(z)
    outputs = kernels.outputs(kernel, z, dy)
    assert {(array.dtype, array.shape) for array in outputs} == {(np.dtype(kernel.dtype), (z.size,))}
    return z, outputs[-1] / dy


@kernels.by_kernel(KERNELS)
def test_the_derivative_is_accurate_to_8_ulp_but_for_what_is_declared(kernel: KernelId) -> None:
    z, derivative = differentiated(kernel)
    weaknesses = kernels.weaknesses(kernel)
    error = kernels.ulps(derivative, kernels.ordinary_slope(kernel.activation, kernel.dtype))
    excused = [kernels.declared(weaknesses, flaw, z) for flaw in (Flaw.CANCELS, Flaw.MERGES)]
    stated = ULP * kernels.declared(weaknesses, Flaw.AMPLIFIES, z)
    assert (error <= stated)[~np.any(excused, axis=0)].all()


@kernels.by_kernel([kernel for kernel in KERNELS if has(kernel, Flaw.CANCELS)])
def test_where_digits_cancel_the_error_is_a_few_eps_in_absolute_terms(kernel: KernelId) -> None:
    z, derivative = differentiated(kernel)
    slope = kernels.ordinary_slope(kernel.activation, kernel.dtype)
    unit = np.spacing(np.abs(kernels.rounded(slope, kernel.dtype)))
    error = kernels.ulps(derivative, slope)
    factor = kernels.declared(kernels.weaknesses(kernel), Flaw.AMPLIFIES, z)
    there = kernels.declared(kernels.weaknesses(kernel), Flaw.CANCELS, z)
    assert (error * unit <= FEW_EPS * factor * float(np.finfo(kernel.dtype).eps))[there].all()
    assert error[there].max() > ULP or kernel.strategy == "recompute", "its zero is between two of these z"


@kernels.by_kernel([kernel for kernel in KERNELS if kernel.op is Op.STEP])
def test_a_step_also_gives_the_output(kernel: KernelId) -> None:
    z = kernels.ordinary(kernel.activation, kernel.dtype)
    y = kernels.outputs(kernel, z)[0]
    weaknesses = kernels.forward_weaknesses(kernel)
    stated = ULP * kernels.declared(weaknesses, Flaw.AMPLIFIES, z)
    assert (kernels.ulps(y, kernels.ordinary_output(kernel.activation, kernel.dtype)) <= stated).all()


@kernels.by_kernel([kernel for kernel in KERNELS if kernel.op is not Op.DERIVATIVE])
def test_the_upstream_gradient_is_a_factor(kernel: KernelId) -> None:
    z = kernels.ordinary(kernel.activation, kernel.dtype)
    dy = np.random.default_rng(2).standard_normal(z.size).astype(kernel.dtype)
    np.testing.assert_array_equal(kernels.outputs(kernel, z, dy)[-1], dy * kernels.outputs(kernel, z)[-1])


@kernels.by_kernel(kernels.sample())
def test_results_have_the_kernels_dtype_and_shape(kernel: KernelId) -> None:
    for size in (1, 3, 1000):
        z = np.linspace(-3.0, 3.0, size, dtype=kernel.dtype)
        outputs = kernels.outputs(kernel, z)
        assert {(array.dtype, array.shape) for array in outputs} == {(np.dtype(kernel.dtype), (size,))}


SHARP = [
    kernel
    for kernel in KERNELS
    if kernel.strategy in {"recompute", "complement"} and kernel.backend in {"numpy", "numba-simd"}
    if kernel.op is Op.STEP
]


@kernels.by_kernel(SHARP)
def test_what_is_stable_is_accurate_to_4_ulp_wherever_the_derivative_is_normal(kernel: KernelId) -> None:
    z = oracle.points(registry.activation(kernel.activation), kernel.dtype)
    slope, _ = oracle.truth(registry.activation(kernel.activation), kernel.dtype)
    weaknesses = kernels.weaknesses(kernel)
    normal = (np.abs(slope.nearest) >= np.finfo(kernel.dtype).tiny) & np.isfinite(slope.nearest)
    stated = SHARP_ULP * kernels.declared(weaknesses, Flaw.AMPLIFIES, z)
    there = normal & ~kernels.declared(weaknesses, Flaw.CANCELS, z)
    assert (slope.error(kernels.outputs(kernel, z)[-1]) <= stated)[there].all()


def test_only_these_stable_forms_declare_a_weakness_where_the_derivative_is_normal() -> None:
    weaknesses = {
        (kernel.activation, weakness.flaw)
        for kernel in SHARP
        for z in [oracle.points(registry.activation(kernel.activation), kernel.dtype)]
        for normal in [
            np.abs(oracle.truth(registry.activation(kernel.activation), kernel.dtype)[0].nearest)
            >= np.finfo(kernel.dtype).tiny
        ]
        for weakness in kernels.weaknesses(kernel)
        if (kernels.declared((weakness,), weakness.flaw, z) > (weakness.flaw is Flaw.AMPLIFIES))[normal].any()
    }
    crossing = {(name, Flaw.CANCELS) for name in ("gelu", "gelu-tanh", "mish", "quick-gelu", "silu", "snake")}
    subnormal = {(name, Flaw.AMPLIFIES) for name in ("gaussian", "mish", "quick-gelu", "silu")}
    """The exponential is below the smallest normal number, and a factor brings g' back above it."""
    doubled = {("snake", Flaw.OVERFLOWS), ("gelu-tanh", Flaw.AMPLIFIES), ("tanh-shrink", Flaw.AMPLIFIES)}
    rounded = {("log-ndtr", Flaw.AMPLIFIES)}
    """The argument of erfc, whose logarithm is as steep as z."""
    assert weaknesses == crossing | subnormal | doubled | rounded


@kernels.by_kernel([kernel for kernel in KERNELS if kernel.op is Op.STEP and not has(kernel, Flaw.OVERFLOWS)])
def test_nothing_overflows_and_nothing_is_invalid_for_any_finite_z(kernel: KernelId) -> None:
    z = oracle.points(registry.activation(kernel.activation), kernel.dtype)
    slope, output = oracle.truth(registry.activation(kernel.activation), kernel.dtype)
    z = z[np.isfinite(slope.nearest) & np.isfinite(output.nearest)]
    if kernel.activation in DOUBLED:
        z = z[np.abs(z) <= np.finfo(kernel.dtype).max / 2]
    for computed in kernels.outputs(kernel, z, over="raise", divide="raise", invalid="raise"):
        assert np.isfinite(computed).all()


FAR = 1e300
"""What is larger is on the way to infinity."""


@kernels.by_kernel(
    [
        kernel
        for kernel in KERNELS
        if kernel.op is Op.STEP and not has(kernel, Flaw.OVERFLOWS) and kernel.activation not in definitions.PERIODIC
    ]
)
def test_at_infinity_output_and_derivative_are_their_limits(kernel: KernelId) -> None:
    ends = np.array([-np.finfo(np.float64).max, np.finfo(np.float64).max])
    y, *_, slope = kernels.outputs(kernel, np.array([-np.inf, np.inf], dtype=kernel.dtype), over="ignore")
    for computed, exact in (
        (y, kernels.output(kernel.activation, ends)),
        (slope, kernels.slope(kernel.activation, ends)),
    ):
        limits = [mpmath.sign(value) * np.inf if abs(value) > FAR else value for value in exact]
        left = 2 * float(np.finfo(kernel.dtype).eps)
        np.testing.assert_allclose(computed, [float(limit) for limit in limits], rtol=left, atol=left**2)


@kernels.by_kernel([kernel for kernel in KERNELS if kernel.op is Op.STEP])
def test_nan_stays_nan_but_where_the_derivative_is_chosen_by_a_comparison(kernel: KernelId) -> None:
    y, *_, slope = kernels.outputs(kernel, np.array([np.nan, 1.0], dtype=kernel.dtype))
    assert np.isnan(y).tolist() == [True, False]
    if kernel.activation in PIECEWISE_LINEAR:
        z = oracle.points(registry.activation(kernel.activation), kernel.dtype)
        assert slope[0] in kernels.outputs(kernel, z)[-1]
    else:
        assert np.isnan(slope[0]) == (kernel.activation != "identity")


@compiled_or_not
@pytest.mark.parametrize(("dtype", "gone"), [(Dtype.FLOAT64, 37.43), (Dtype.FLOAT32, 17.33)])
def test_the_cached_logistic_derivative_vanishes_once_the_output_rounds_to_1(
    dtype: Dtype, gone: float, *, compiled: bool
) -> None:
    just_before, there, beyond = z = np.array([gone - 0.01, gone + 0.01, 2 * gone], dtype=dtype)
    y = kernels.rounded(kernels.output("logistic", z), dtype)
    for kernel in of("logistic", "cached", dtype, compiled=compiled):
        assert (kernels.from_residual(kernel, y) == 0).tolist() == [False, True, True]
        assert not kernels.outputs(kernel, np.array([there, beyond]))[-1].any()
        assert kernels.outputs(kernel, -z)[-1].all(), "the other tail keeps its digits"
    for kernel in (
        kernel
        for strategy in ("recompute", "complement")
        for kernel in of("logistic", strategy, dtype, compiled=compiled)
    ):
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


@kernels.by_kernel([kernel for kernel in of("logistic", "textbook") if kernel.backend != "python"])
def test_the_textbook_logistic_derivative_turns_0_and_then_nan(kernel: KernelId) -> None:
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


@kernels.by_kernel([kernel for kernel in KERNELS if kernel.activation == "identity"])
def test_the_derivative_of_the_identity_is_1(kernel: KernelId) -> None:
    z = np.array([-np.inf, -1e30, -1.0, -0.0, 0.0, 1e-30, 7.0, np.nan], dtype=kernel.dtype)
    assert kernels.outputs(kernel, z)[-1].tolist() == [1.0] * z.size
