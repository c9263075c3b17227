"""What is true of every activation whatever z: symmetries, signs, bounds and slopes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbench import backends, registry
from actbench.formula import Flaw, Formulas
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.rule import Dialect
from actbench.model.variants import Variant
from actbench.verification import oracle
from tests.support import definitions, kernels
from tests.support.tiers import exhaustive_but

NAMES = list(registry.elementwise())
BACKENDS = ("python", "numpy", "numba", "numba-simd")
STEPS = [
    kernel
    for kernel in kernels.every_kernel()
    if kernel.op is Op.STEP and kernel.backend in BACKENDS and kernel.strategy != "textbook"
]

FALL_AND_RISE = ("gelu", "gelu-tanh", "hard-swish", "mish", "quick-gelu", "silu")
"""They fall before they rise: the left tail is above the least value."""

EVEN = (
    *(
        "arctan",
        "hard-shrink",
        "hard-sigmoid",
        "hard-tanh",
        "identity",
        "logistic",
        "probit",
        "soft-shrink",
        "softsign",
    ),
    *("sparse-sigmoid", "tanh", "tanh-shrink"),
)
"""g'(-z) = g'(z)."""

ODD = ("gaussian", "log-cosh", "sech")
"""g'(-z) = -g'(z)."""

COMPLEMENTARY = ("gelu", "gelu-tanh", "log-sigmoid", "quick-gelu", "silu", "softplus", "sparse-plus", "squareplus")
"""g'(-z) = 1 - g'(z)."""

PERIODIC = definitions.PERIODIC

FEW_EPS = 8.0

moderate = st.lists(st.floats(-40, 40, width=32), min_size=1, max_size=30)
anywhere = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30)
modest = settings(deadline=None, max_examples=12)


def in_either_dtype(names: Iterable[str]) -> pytest.MarkDecorator:
    """Run a test of each of these activations, in the quick tier in either dtype by turns."""
    return pytest.mark.parametrize(
        ("name", "dtype"),
        exhaustive_but(product(names, WIDE), lambda of: of[1] is WIDE[NAMES.index(of[0]) % len(WIDE)]),
    )


def formulas(name: str) -> Formulas:
    return registry.activation(name).formulas


def forward(name: str, z: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(registry.activation(name).forward(Dialect.ARRAY, backends.namespace("numpy"))(z))


def eps(chosen: KernelId) -> float:
    return FEW_EPS * float(np.finfo(chosen.dtype).eps)


def differentiated(chosen: KernelId, z: Any) -> Array:
    return kernels.outputs(chosen, np.array(z, dtype=chosen.dtype))[-1]


@kernels.by_kernel(
    [kernel for kernel in STEPS if kernel.activation in (*EVEN, *ODD, *COMPLEMENTARY)],
    "chosen",
    kernels.is_quick_property,
)
@given(moderate)
@modest
def test_a_derivative_is_as_symmetric_as_it_is_mathematically(chosen: KernelId, z: list[float]) -> None:
    right, left = differentiated(chosen, z), differentiated(chosen, [-value for value in z])
    mirrored = {EVEN: right, ODD: -right, COMPLEMENTARY: 1 - right}
    (expected,) = [slope for names, slope in mirrored.items() if chosen.activation in names]
    z_size = np.abs(np.array(z))
    factor = kernels.declared(kernels.weaknesses(chosen), Flaw.AMPLIFIES, z_size)
    kinks = [*formulas(chosen.activation).kinks]
    elsewhere = ~np.isin(z_size, np.abs(kinks)) & ~near(kinks, z_size, chosen.dtype)
    assert (np.abs(left - expected) <= factor * eps(chosen))[elsewhere].all()


def near(kinks: list[float], z: Array, dtype: Dtype) -> Array:
    """Return where y may merge with its value at a kink."""
    width = 16 * float(np.finfo(dtype).eps)
    return np.array([any(abs(value - abs(kink)) < width for kink in kinks) for value in z], dtype=bool)


@kernels.by_kernel(
    [kernel for kernel in STEPS if kernel.activation not in (*FALL_AND_RISE, *ODD, *PERIODIC)],
    "chosen",
    kernels.is_quick_property,
)
@given(anywhere)
@modest
def test_the_derivative_of_what_never_falls_is_never_below_0(chosen: KernelId, z: list[float]) -> None:
    with np.errstate(over="ignore"):
        assert (differentiated(chosen, np.array(z).astype(chosen.dtype)) >= 0).all()


@kernels.by_kernel(
    [kernel for kernel in STEPS if kernel.activation in (*FALL_AND_RISE, *ODD)], "chosen", kernels.is_quick_property
)
@given(moderate)
@modest
def test_the_derivative_of_what_falls_and_rises_has_the_sign_of_the_truth(chosen: KernelId, z: list[float]) -> None:
    there = np.array(z, dtype=chosen.dtype)
    weaknesses = kernels.weaknesses(chosen)
    certain = ~kernels.declared(weaknesses, Flaw.CANCELS, there)
    truth = np.sign(kernels.rounded(kernels.slope(chosen.activation, there), chosen.dtype))
    sign = np.sign(differentiated(chosen, there))
    assert ((sign == truth) | (sign == 0))[certain].all()


@in_either_dtype(NAMES)
@given(z=anywhere)
@modest
def test_values_stay_within_the_range(name: str, dtype: Dtype, z: list[float]) -> None:
    low, high = formulas(name).range
    with np.errstate(over="ignore"):
        there = np.array(z).astype(dtype)
        y = forward(name, there[np.isfinite(there)] if name in PERIODIC else there)
    room = FEW_EPS * float(np.finfo(dtype).eps)
    assert (low - room <= y).all()
    assert (y <= high + room).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_bounds_of_the_range_are_approached_and_no_others_are(name: str) -> None:
    low, high = formulas(name).range
    z = np.concatenate([oracle.points(registry.activation(name), Dtype.FLOAT64), np.linspace(-2, 2, 40_001)])
    y = forward(name, z)
    for bound, extreme in ((low, y.min()), (high, y.max())):
        if np.isfinite(bound):
            assert extreme == pytest.approx(bound, abs=1e-8)
        else:
            assert abs(extreme) > 1e300


@pytest.mark.parametrize("name", FALL_AND_RISE)
def test_the_least_value_is_where_the_derivative_changes_its_sign(name: str) -> None:
    z = np.linspace(-2.0, -0.5, 3)
    if name == "hard-swish":
        least: Any = mpmath.mpf(-1.5)
    else:
        least = mpmath.findroot(definitions.TRUTH[name][1], (-1.5, -0.5), solver="anderson")
    assert formulas(name).range[0] == pytest.approx(float(definitions.TRUTH[name][0](least)), rel=1e-14)
    assert (forward(name, z) >= formulas(name).range[0]).all()


@in_either_dtype([name for name in NAMES if name not in (*FALL_AND_RISE, *ODD, *PERIODIC)])
@given(z=anywhere)
@modest
def test_the_larger_z_the_larger_the_output(name: str, dtype: Dtype, z: list[float]) -> None:
    with np.errstate(all="ignore"):
        y = forward(name, np.sort(np.array(z).astype(dtype)))
        rounding = FEW_EPS * np.spacing(np.minimum(np.abs(y), np.finfo(dtype).max / 2))
        assert (y[1:] >= y[:-1] - rounding[1:]).all()


@pytest.mark.parametrize("name", NAMES)
@given(z=moderate)
@modest
def test_the_derivative_is_the_slope_of_the_output(name: str, z: list[float]) -> None:
    step = 1e-5
    kinks = [*formulas(name).kinks, -1.0, 0.0, 1.0]  # and where g'' jumps, of some
    at = np.array([value for value in z if min(abs(value - kink) for kink in kinks) > 2 * step and value < 30])
    slope = kernels.outputs(KernelId(name, Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64), at)[-1]
    change = (forward(name, at + step) - forward(name, at - step)) / (2 * step)
    np.testing.assert_allclose(slope, change, rtol=1e-8, atol=1e-9)


SAFE = [
    kernel
    for kernel in kernels.every_kernel()
    if kernel.op is Op.STEP and kernel.backend in {"python", "numpy"}
    if all(known.flaw is not Flaw.OVERFLOWS for known in kernels.weaknesses(kernel))
]


@kernels.by_kernel(SAFE, "chosen", kernels.is_quick_property)
@given(anywhere)
@modest
def test_no_finite_z_raises_or_warns(chosen: KernelId, z: list[float]) -> None:
    """Unless the output or the derivative is itself beyond the format; tanh's exponential is of twice |z|."""
    limit = float(np.finfo(chosen.dtype).max) / 2
    there = np.array([1.0, *(value for value in z if abs(value) <= limit)], dtype=chosen.dtype)
    if chosen.activation == "exp":
        there = there[there < np.log(np.finfo(chosen.dtype).max)]
    if chosen.activation == "squared-relu":
        there = there[there < np.sqrt(np.finfo(chosen.dtype).max)]
    if chosen.activation == "log-ndtr":
        there = there[there > -np.sqrt(np.finfo(chosen.dtype).max)]
    outputs = kernels.outputs(chosen, there, over="raise", divide="raise", invalid="raise")
    assert all(np.isfinite(output).all() for output in outputs)
