"""Code to paste: it computes what the backend computes, bit for bit, and so what the oracle has checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.kernels.resolution import kernel
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.report.snippets import snippet

Z = np.concatenate([np.linspace(-9.0, 9.0, 61), [-100.0, -45.0, 1e-31, 45.0, 800.5]]).astype(np.float32)

DY = np.linspace(-2.0, 3.0, Z.size, dtype=np.float32)


def strategies() -> Iterator[tuple[str, str]]:
    """Yield every strategy of every activation."""
    for activation in registry.elementwise().values():
        yield from ((activation.name, strategy) for strategy in activation.strategies if strategy != "shipped")


ALL = [*strategies()]

GATED = [
    (one.name, strategy)
    for one in registry.activations().values()
    if one.is_gated
    for strategy in one.formulas.strategies
]

B = np.linspace(-3.1, 2.0, Z.size, dtype=np.float32)
"""Nowhere 0: there y has nothing of g(a)."""


def pasted(activation: str, strategy: str, backend: str) -> tuple[Any, dict[str, Any]]:
    """Return a kernel of a step, and the names that its snippet defines."""
    identity = KernelId(activation, Variant(strategy), backend, Op.STEP, Dtype.FLOAT32)
    names: dict[str, Any] = {}
    subject = kernel(identity)
    exec(snippet(subject), names)  # noqa: S102  # that is what is tested
    return subject, names


@pytest.mark.parametrize(("activation", "strategy"), [*ALL, ("tanh", "cached:float16"), ("elu:alpha=2", "cached")])
@np.errstate(all="ignore")
def test_code_for_numpy_computes_what_the_kernel_computes(activation: str, strategy: str) -> None:
    subject, names = pasted(activation, strategy, "numpy")
    name = activation.partition(":")[0].replace("-", "_")
    y, kept = names[f"{name}_forward"](Z)
    expected_y, *_, expected_dz = subject.bound.function(Z, DY)
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(names[f"{name}_backward"](DY, kept), expected_dz)


@pytest.mark.parametrize(("activation", "strategy"), GATED)
@np.errstate(all="ignore")
def test_code_of_a_gated_activation_returns_both_gradients(activation: str, strategy: str) -> None:
    subject, names = pasted(activation, strategy, "numpy")
    y, kept = names[f"{activation.replace('-', '_')}_forward"](Z, B)
    expected_y, *_, expected_da, expected_db = subject.bound.function(Z, B, DY)
    np.testing.assert_array_equal(y, expected_y)
    da, db = names[f"{activation.replace('-', '_')}_backward"](DY, kept)
    np.testing.assert_array_equal(da, expected_da)
    np.testing.assert_array_equal(db, expected_db)


@pytest.mark.parametrize(("activation", "strategy"), GATED)
def test_code_of_a_gated_activation_for_torch_and_jax_has_its_gradients(activation: str, strategy: str) -> None:
    jax, torch = (pytest.importorskip(name, reason=f"{name} is not installed") for name in ("jax", "torch"))
    inside = np.abs(Z) < 5
    a, b, dy = Z[inside], B[inside], DY[inside]
    truth = kernel(KernelId(activation, Variant("recompute"), "numpy", Op.STEP, Dtype.FLOAT64))
    *_, da, db = truth.bound.function(*(array.astype(np.float64) for array in (a, b, dy)))
    _, names = pasted(activation, strategy, "torch")
    leaves = [torch.tensor(array, requires_grad=True) for array in (a, b)]
    names[activation.title().replace("-", "")].apply(*leaves).backward(torch.tensor(dy))
    _, names = pasted(activation, strategy, "jax")
    gate = names[activation.replace("-", "_")]
    gradients = jax.grad(lambda a, b: (gate(a, b) * dy).sum(), argnums=(0, 1))(*map(jax.numpy.asarray, (a, b)))
    for leaf, gradient, expected in zip(leaves, gradients, (da, db), strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("activation", "strategy"), ALL)
def test_code_for_torch_is_an_autograd_function(activation: str, strategy: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    _, names = pasted(activation, strategy, "torch")
    function = names[activation.title().replace("-", "")]
    z, dy = torch.tensor(Z, requires_grad=True), torch.tensor(DY)
    y = function.apply(z)
    y.backward(dy)
    truth = kernel(KernelId(activation, Variant("recompute"), "numpy", Op.STEP, Dtype.FLOAT64))
    with np.errstate(all="ignore"):
        expected_y, *_, expected = truth.bound.function(Z.astype(np.float64), DY.astype(np.float64))
    inside = np.abs(Z) < 5
    np.testing.assert_allclose(y.detach().numpy()[inside], expected_y[inside], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(z.grad.numpy()[inside], expected[inside], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("activation", "strategy"), ALL)
def test_code_for_jax_has_a_gradient_of_its_own(activation: str, strategy: str) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed")
    _, names = pasted(activation, strategy, "jax")
    z = jax.numpy.asarray(Z[np.abs(Z) < 5])
    name = activation.replace("-", "_")
    function = names.get(f"{name}_", names[name])
    gradient = jax.grad(lambda z: function(z).sum())(z)
    truth = kernel(KernelId(activation, Variant("recompute"), "numpy", Op.DERIVATIVE, Dtype.FLOAT64))
    np.testing.assert_allclose(gradient, truth.bound.function(np.asarray(z, dtype=np.float64)), rtol=1e-3, atol=1e-5)


def test_what_a_framework_ships_is_a_call() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    shipped = kernel(KernelId("gelu-tanh", Variant("shipped"), "torch", Op.STEP, Dtype.FLOAT32))
    assert snippet(shipped).startswith("y = torch.nn.functional.gelu(z, approximate='tanh')")
