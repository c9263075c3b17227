"""What torch and jax share, over numpy's arrays: it is tested where neither is installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.backends._autograd import SAMPLE
from actbench.backends._backend import Bound
from actbench.backends._framework import Framework
from actbench.backends._layouts import AlongRowsLayout, GatedLayout, Layout, PackedLayout
from actbench.backends._shipped import Shipped
from actbench.backends.numpy import FUNCTIONS, ROW_FUNCTIONS
from actbench.errors import InputError
from actbench.kernels.operands import Array
from actbench.kernels.rows import targets
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect, Rule

SHIPPED = {
    "logistic": Shipped("scipy.special.expit"),
    "identity": Shipped("numpy.positive"),
    "softmax": Shipped("scipy.special.softmax", {"axis": -1}),
    "reglu": Shipped("numpy.abs", is_gate=True),
    "threshold": Shipped("numpy.nan_to_num", parameters={"value": "nan"}),
    "log-ndtr": Shipped("scipy.special.log_ndtr", only_wide=True),
}


class EagerArrays(Framework):
    """A framework whose arrays are numpy's."""

    name = "eager-arrays"
    summary = "numpy's arrays"
    shipped = SHIPPED

    def namespace(self) -> Any:
        """Return numpy's functions."""
        return FUNCTIONS

    def row_namespace(self) -> Any:
        """Return these and reductions."""
        return ROW_FUNCTIONS

    def unit(self, dtype: Dtype) -> Any:
        """Return 1."""
        return np.ones((), dtype=dtype)


class CompilingArrays(EagerArrays):
    """One that is compiled for every size."""

    name = "compiling-arrays"
    compiles_for_a_size = True


EAGER, NUMPY = EagerArrays(), registry.backend("numpy")
NAMES = ("logistic", "silu", "tanh", "swiglu", "reglu", "softmax", "softmax-cross-entropy")


def known(rule: Rule) -> dict[str, Array]:
    """Return the inputs of a rule, the upstream gradient, y and the residuals, by name."""
    a, b, dy = np.random.default_rng(0).standard_normal((3, 4, 25))
    dy = dy[:, :1] if "target" in rule.inputs else dy
    arrays = {"z": a, "a": a, "b": b, "dy": dy, "target": targets(a)}
    outputs = (rule.save or rule.forward)(*(arrays[name] for name in rule.inputs))
    return arrays | dict(zip(("y", *rule.saved), outputs if rule.save else [outputs], strict=True))


def calls(name: str) -> Iterator[tuple[Op, Rule, list[Array]]]:
    """Yield every op of every strategy of an activation, and what it is called on."""
    activation = registry.activation(name)
    namespace = ROW_FUNCTIONS if activation.is_row else FUNCTIONS
    for strategy in activation.strategies:
        rule = activation.rule(strategy, Dialect.ARRAY, namespace)
        arrays = known(rule)
        kept = [arrays[residual] for residual in rule.residuals]
        yield Op.BACKWARD, rule, [arrays["dy"], *kept]
        yield Op.STEP, rule, [*(arrays[one] for one in rule.inputs), arrays["dy"]]
        if not (rule.is_gated or rule.is_row):
            yield Op.DERIVATIVE, rule, kept


def assert_same(computed: Any, right: Any) -> None:
    pairs = zip(computed, right, strict=True) if isinstance(right, tuple) else [(computed, right)]
    for left, expected in pairs:
        np.testing.assert_array_equal(left, expected)


@pytest.mark.parametrize("name", NAMES)
def test_an_eager_framework_computes_what_numpy_computes(name: str) -> None:
    for op, rule, operands in calls(name):
        ours, numpys = (backend.bind(op, rule, Dtype.FLOAT64).function for backend in (EAGER, NUMPY))
        assert_same(ours(*operands), numpys(*operands))
        if op is Op.STEP:
            ours, numpys = (backend.bind_forward(rule, Dtype.FLOAT64).function for backend in (EAGER, NUMPY))
            assert_same(ours(*operands[:-1]), numpys(*operands[:-1]))


@pytest.mark.parametrize("name", ["logistic", "silu", "tanh"])
def test_automatic_differentiation_is_handed_the_same_formulas(name: str) -> None:
    for op, rule, operands in calls(name):
        if op is Op.STEP:
            z, dy = operands
            passes = EAGER.passes(rule, Dtype.FLOAT64)
            y, *residuals = passes.forward(z)
            assert_same((y, passes.backward(dy, *residuals)), NUMPY.bind(op, rule, Dtype.FLOAT64).function(z, dy))
            by_library = passes.with_function(np.negative)(z)[0]
            assert_same(by_library, -z if passes.kept else y)


def test_a_kernel_of_the_library_replaces_the_formula() -> None:
    rule = registry.activation("logistic").rule("cached", Dialect.ARRAY, FUNCTIONS)
    doubled = replace(rule, library_gradient=lambda dy, y: 2.0 * dy * y * (1.0 - y))
    z, dy = np.random.default_rng(0).standard_normal((2, 10))
    y = rule.forward(z)
    bound = {op: EAGER.bind(op, doubled, Dtype.FLOAT64).function for op in (Op.DERIVATIVE, Op.BACKWARD, Op.STEP)}
    assert_same(bound[Op.DERIVATIVE](y), 2.0 * y * (1.0 - y))
    assert_same(bound[Op.BACKWARD](dy, y), 2.0 * dy * y * (1.0 - y))
    assert_same(bound[Op.STEP](z, dy), (y, 2.0 * dy * y * (1.0 - y)))
    assert "gradient = <function" in EAGER.execution(Op.BACKWARD, doubled)


def test_what_is_compiled_for_a_size_is_called_once_where_it_is_bound_and_that_is_timed() -> None:
    sizes = []
    rule = registry.activation("logistic").rule("cached", Dialect.ARRAY, FUNCTIONS)

    def cached(y: Array) -> Array:
        sizes.append(y.size)
        return y

    bound = CompilingArrays().bind(Op.DERIVATIVE, replace(rule, derivative=cached), Dtype.FLOAT64)
    assert bound.specialise is not None
    of_size: Bound = bound.specialise((np.ones(7),))
    assert sizes == [7]
    assert of_size.compile_seconds is not None
    assert_same(of_size.function(np.ones(7)), np.ones(7))


@pytest.mark.parametrize(
    ("name", "op", "executed"),
    [
        ("logistic", Op.DERIVATIVE, ["the formula itself"]),
        ("logistic", Op.BACKWARD, ["def product("]),
        ("logistic", Op.STEP, ["def step(", "def product("]),
        ("swiglu", Op.BACKWARD, ["def gated_products("]),
        ("swiglu", Op.STEP, ["def gated_step(", "def gated_products("]),
        ("softmax", Op.BACKWARD, ["the formula itself, on rows by columns"]),
        ("softmax", Op.STEP, ["def row_step("]),
    ],
)
def test_what_is_executed_around_the_formula_is_shown(name: str, op: Op, executed: list[str]) -> None:
    rule = next(rule for _, rule, _ in calls(name))
    assert all(part in EAGER.execution(op, rule) for part in executed)
    assert "keeping(" in EAGER.forward_execution(rule)


# What the library ships


def test_a_function_of_the_library_is_called_with_its_keywords() -> None:
    z, b = np.random.default_rng(0).standard_normal((2, 3, 5))
    for name in ("logistic", "softmax"):
        function = EAGER.shipped_function(name)
        assert function is not None
        namespace = ROW_FUNCTIONS if name == "softmax" else FUNCTIONS
        right = registry.activation(name).rule("cached", Dialect.ARRAY, namespace).forward(z)
        np.testing.assert_allclose(function(z), right, rtol=1e-14)
    assert_same(SHIPPED["reglu"].function()(z, b), np.abs(z) * b)
    replacing = EAGER.shipped_function("threshold:value=2")
    assert replacing is not None
    assert_same(replacing(np.array([np.nan, 1.0])), np.array([2.0, 1.0]))
    assert EAGER.ships("threshold:value=2") == "numpy.nan_to_num(z, nan=2.0)"
    assert EAGER.shipped_function("gelu") is None


@pytest.mark.parametrize(
    ("name", "dtype", "why"),
    [
        ("gelu", Dtype.FLOAT32, "eager-arrays has no gelu of its own"),
        ("logistic:beta=2", Dtype.FLOAT32, "eager-arrays has no logistic:beta=2 of its own"),
        ("identity", Dtype.FLOAT32, "numpy.positive(z) returns its operand, and computes nothing"),
        ("log-ndtr", Dtype.FLOAT16, "scipy.special.log_ndtr(z) takes float32 and float64 only"),
        ("log-ndtr", Dtype.FLOAT32, "backend 'eager-arrays' has no automatic differentiation"),
    ],
)
def test_why_a_function_of_the_library_is_not_timed(name: str, dtype: Dtype, why: str) -> None:
    with pytest.raises(InputError) as refused:
        EAGER.autograd(name, dtype)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("name", "inputs", "why"),
    [
        ("reglu", ("a", "b"), "backend 'eager-arrays' has no automatic differentiation"),
        ("glu", ("a", "b"), "eager-arrays has no glu of its own"),
    ],
)
def test_nor_is_one_along_rows_or_of_a_and_b(name: str, inputs: tuple[str, ...], why: str) -> None:
    with pytest.raises(InputError) as refused:
        EAGER.function_autograd(name, Dtype.FLOAT64, inputs)
    assert str(refused.value) == why


# What such a function takes


def test_inputs_and_gradients_of_a_function_are_arranged_as_it_has_them() -> None:
    a, b, dy = np.arange(3.0), np.arange(3.0, 6.0), np.ones(3)

    def join(first: Array, second: Array) -> Array:
        return np.concatenate([first, second])

    assert SHIPPED["reglu"].layout(("a", "b")) == GatedLayout()
    assert Shipped("glu", is_packed=True).layout(("a", "b")) == PackedLayout()
    assert SHIPPED["softmax"].layout(("z",)) == AlongRowsLayout(takes_target=False)
    assert GatedLayout().arranged((a, b, dy), join) == (dy, (a, b))
    upstream, (packed,) = PackedLayout().arranged((a, b, dy), join)
    assert (upstream is dy, packed.tolist()) == (True, [3, 4, 5, 0, 1, 2])
    assert [part.tolist() for part in PackedLayout().split([dy, packed])] == [[1, 1, 1], [0, 1, 2], [3, 4, 5]]
    rows = AlongRowsLayout(takes_target=True)
    upstream, (z, target) = rows.arranged((np.ones((2, 3)), np.array([[0], [2]]), np.ones((2, 1))), join)
    assert (upstream.shape, z.shape, target.shape) == ((2,), (2, 3), (2,))
    assert AlongRowsLayout(takes_target=False).split([dy]) == [dy]


@pytest.mark.parametrize(
    ("layout", "kept", "names"),
    [
        (GatedLayout(), lambda a, b: [b, np.ones(3), a], ["b", "a"]),
        (PackedLayout(), lambda packed: [packed], ["b", "a"]),
        (AlongRowsLayout(takes_target=False), lambda z: [z, z.max(axis=1)], ["z", ""]),
        (AlongRowsLayout(takes_target=True), lambda z, target: [target, z], ["z"]),
    ],
)
def test_what_a_function_saves_is_known_by_its_numbers(layout: Layout, kept: Any, names: list[str]) -> None:
    sample = layout.sample(np.dtype(np.float64))
    y = np.tanh(sample[0].ravel()[:SAMPLE])
    saved = [*layout.saved(kept(*sample), sample, y)]
    assert [("" if one.per_row else one.name) for one in saved] == names
