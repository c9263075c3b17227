"""Gated activations, y = g(a) b: both gradients, what is kept, and what the oracle refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from actbench import registry
from actbench.errors import InputError, WrongKernelError
from actbench.formula import Activation, Flaw, Formulas, Strategy, Weakness, activation
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DA, DB, DY, A, B, Operands
from actbench.model.cases import KernelId
from actbench.model.names import NARROW, WIDE, Dtype, Op
from actbench.model.number_formats import numpy_dtype
from actbench.model.rule import Dialect
from actbench.model.sizes import sizes
from actbench.model.variants import Variant
from actbench.planning import presets
from actbench.planning.resolved import resolved
from actbench.verification import oracle
from actbench.verification.evaluation import Evaluation
from actbench.verification.truth.products import expected, gate_of
from tests.support.gates import answers
from tests.support.tiers import exhaustive_but

NAMES = [name for name, one in registry.activations().items() if one.is_gated]
BACKENDS = ("python", "numpy", "numpy-blocked", "numba", "numba-simd", "numba-parallel", "torch", "jax")
QUICK = {("swiglu", "numba-simd"), ("geglu", "numpy"), ("reglu", "numba"), ("glu", "python")}
IN_16_BITS = ("numba-simd", "numba-parallel", "torch", "jax")


def kernel(
    name: str, strategy: str, backend: str = "numpy", op: Op = Op.BACKWARD, dtype: Dtype = Dtype.FLOAT64
) -> Kernel:
    return resolution.kernel(KernelId(registry.activation(name).name, Variant(strategy), backend, op, dtype))


@pytest.mark.parametrize(("name", "backend"), exhaustive_but([*product(NAMES, BACKENDS)], QUICK.__contains__))
def test_every_strategy_gives_both_gradients_and_y_within_what_it_declares(name: str, backend: str) -> None:
    if reason := registry.backends()[backend].unavailable:
        pytest.skip(reason)
    for strategy, dtype in product(registry.activation(name).strategies, WIDE):
        one = kernel(name, strategy, backend, Op.STEP, dtype)
        if not one.unsupported:
            checked = oracle.check(one, answers(one))
            oracle.check_calls(one, answers(one))
            assert checked.points
            assert checked.kept_bytes == len(one.residuals) * dtype.itemsize


@pytest.mark.parametrize(
    ("name", "backend", "dtype"),
    exhaustive_but(
        [*product(NAMES, IN_16_BITS, NARROW)],
        {("glu", "numba-simd", Dtype.BFLOAT16), ("swiglu", "torch", Dtype.FLOAT16)}.__contains__,
    ),
)
def test_every_strategy_is_as_accurate_as_it_declares_in_16_bits(name: str, backend: str, dtype: Dtype) -> None:
    if reason := registry.backends()[backend].unavailable:
        pytest.skip(reason)
    for strategy in registry.activation(name).strategies:
        one = kernel(name, strategy, backend, Op.STEP, dtype)
        one.require_supported()
        assert oracle.check(one, answers(one)).kept_bytes == 2 * len(one.residuals)
        oracle.check_calls(one, answers(one))


@pytest.mark.parametrize("name", ["swiglu", "reglu", "glu"])
def test_many_pieces_and_a_rest_give_what_whole_arrays_give(name: str) -> None:
    inputs, dy = np.random.default_rng(0).standard_normal((20_001, 2)), np.linspace(-1.0, 2.0, 20_001)
    for strategy, op in product(registry.activation(name).strategies, (Op.BACKWARD, Op.STEP)):
        at_once, pieces = (kernel(name, strategy, backend, op) for backend in ("numpy", "numpy-blocked"))
        right, computed = (answers(one)(one.identity, inputs, dy) for one in (at_once, pieces))
        np.testing.assert_allclose(computed.derivative, right.derivative, rtol=1e-12, atol=1e-14)
        assert (computed.y is None) == (op is Op.BACKWARD)
        if computed.y is not None and right.y is not None:
            np.testing.assert_allclose(computed.y, right.y, rtol=1e-12)


@pytest.mark.parametrize("dtype", NARROW)
def test_compiled_loops_compute_in_float32_and_round_once(dtype: Dtype) -> None:
    inputs, dy = np.random.default_rng(0).standard_normal((500, 2)), np.ones(500)
    narrow, wide = (kernel("swiglu", "recompute", "numba-simd", dtype=kind) for kind in (dtype, Dtype.FLOAT32))
    rounded, up = inputs.astype(numpy_dtype(dtype)), dy.astype(numpy_dtype(dtype))
    computed = answers(narrow)(narrow.identity, rounded, up).derivative
    right = answers(wide)(wide.identity, rounded.astype(np.float32), dy.astype(np.float32)).derivative
    assert np.array_equal(computed, right.astype(computed.dtype))


@pytest.mark.parametrize("backend", ["python", "numpy", "numba"])
def test_what_does_not_compute_in_16_bits_says_so(backend: str) -> None:
    assert "computes in" in str(kernel("glu", "recompute", backend, dtype=Dtype.FLOAT16).unsupported)


@pytest.mark.exhaustive
@pytest.mark.parametrize("beta", [0.1, 2.0, 30.0])
@pytest.mark.parametrize("strategy", ["recompute", "intermediate", "pair"])
def test_swiglu_is_right_at_every_beta(beta: float, strategy: str) -> None:
    one = kernel(f"swiglu:beta={beta}", strategy, op=Op.STEP)
    oracle.check(one, answers(one))


def test_the_gradients_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    a, b, dy = np.random.default_rng(0).standard_normal((3, 100))
    one = kernel("swiglu", "recompute")
    da, db = answers(one)(one.identity, np.stack([a, b], axis=-1), dy).derivative.T
    of_a, of_b = (torch.tensor(array, requires_grad=True) for array in (a, b))
    (torch.nn.functional.silu(of_a) * of_b).backward(torch.tensor(dy))
    np.testing.assert_allclose(da, of_a.grad, rtol=1e-12)
    np.testing.assert_allclose(db, of_b.grad, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "strategy", "residuals", "alive", "moved"),
    [
        ("swiglu", "recompute", ("a", "b"), 0, 5),
        ("swiglu", "intermediate", ("a", "b", "s"), 0, 6),
        ("swiglu", "pair", ("a", "b", "y"), 1, 6),
        ("reglu", "cached", ("y", "b"), 1, 5),
        ("glu", "intermediate", ("b", "s"), 0, 5),
    ],
)
def test_what_is_kept_and_what_moves_follows_from_the_parameters(
    name: str, strategy: str, residuals: tuple[str, ...], alive: int, moved: int
) -> None:
    one = kernel(name, strategy)
    assert tuple(operand.name for operand in one.residuals) == residuals
    assert one.kept_bytes == 8 * len(residuals)
    assert one.alive_bytes == 8 * alive
    assert one.moved_bytes == 8 * moved
    assert one.reads[0] == DY
    assert one.writes == (DA, DB)


def test_a_step_reads_both_inputs_and_stores_y_and_what_is_saved() -> None:
    one = kernel("swiglu", "intermediate", "numba", Op.STEP)
    assert one.reads == (A, B, DY)
    assert [operand.name for operand in one.writes] == ["y", "s", "da", "db"]
    assert [operand.name for operand in one.stores] == ["y", "s"]


def test_b_is_a_in_another_order_unless_it_is_given() -> None:
    z = np.arange(5.0)
    operands = Operands(registry.activation("reglu"), z)
    assert operands.array(A) is operands.z
    assert sorted(operands.array(B)) == [*z]
    assert tuple(operands.array(B)) not in {tuple(z), tuple(operands.array(DY))}
    assert [*Operands(registry.activation("reglu"), np.stack([z, z + 9], axis=-1)).array(B)] == [*(z + 9)]


def test_there_is_no_derivative_and_the_reason_names_the_ops() -> None:
    with pytest.raises(InputError, match=r"swiglu is gated, y = g\(a\) b, .*: use --op backward, or --op step"):
        kernel("swiglu", "recompute", op=Op.DERIVATIVE).require_supported()


def test_without_named_ops_gated_activations_have_their_backward_pass() -> None:
    start = presets.get("default").axes.with_named({"activations": ("logistic", "swiglu"), "sizes": sizes(10)})
    ops = {(case.activation, case.op) for case, _ in resolved(start).cases("*")}
    assert ops == {("logistic", Op.DERIVATIVE), ("swiglu", Op.BACKWARD)}
    named = start.with_named({"ops": (Op.DERIVATIVE,)})
    assert {case.op for case, _ in resolved(named).cases("swiglu/*")} == {Op.DERIVATIVE}


@pytest.mark.parametrize("backend", ["numexpr"])
def test_backends_without_such_loops_say_so(backend: str) -> None:
    assert (
        kernel("glu", "recompute", backend).unsupported == f"{backend} has no loops for gated activations such as glu"
    )


def test_operands_may_come_from_memory() -> None:
    assert kernel("swiglu", "pair", "numba", Op.STEP).unsupported_cold() is None
    assert resolution.arrays_of(kernel("swiglu", "pair").identity) == (("a", "b"), frozenset())


@activation
def shifted(m: object) -> Formulas:
    """Return y = a b + a."""
    del m
    return Formulas(forward=lambda a, b: a * b + a, recompute=lambda a, b: (b + 1.0, a), uncached="no")


def proportional(factor: float, weaknesses: tuple[Weakness, ...] = ()) -> Activation:
    """Return y = a b with a gradient of a that is off by a factor."""

    def build(m: object) -> Formulas:
        del m
        wrong = Strategy(lambda a, b: (factor * b, 1.0 * a), weaknesses=weaknesses)
        return Formulas(forward=lambda a, b: a * b, recompute=wrong, uncached="no")

    return Activation("proportional", "a b", build)


def of(one: Activation) -> Kernel:
    """Return the kernel of an activation that is not registered."""
    identity = KernelId(one.name, Variant("recompute"), "numpy", Op.BACKWARD, Dtype.FLOAT64)
    return Kernel(identity, registry.backend("numpy"), one, "recompute", None)


def test_an_activation_that_is_no_product_with_b_is_refused() -> None:
    one = of(shifted)
    with pytest.raises(
        WrongKernelError, match=r"y of shifted is not g\(a\) b: at a = 0\.75, b = -3\.0 it is -1\.5 where"
    ):
        oracle.check(one, answers(one))


def test_a_wrong_gradient_is_refused_with_its_inputs() -> None:
    one = of(proportional(1.0 + 1e-14))
    with pytest.raises(
        WrongKernelError, match=r"at a = .*, b = .*, dy = .* its gradient of a is .* \(.* ULP; 8 are allowed\)"
    ):
        oracle.check(one, answers(one))


def test_a_weakness_that_shows_nowhere_is_refused() -> None:
    idle = Weakness(Flaw.INACCURATE, "it is Monday", lambda a, b, _: (a > 0) & (b > 0))
    right, wrong = (
        of(proportional(1.0, (idle,))),
        of(proportional(1.01, (replace(idle, where=lambda a, *_: abs(a) >= 0),))),
    )
    with pytest.raises(WrongKernelError, match="is declared to be wrong where 'it is Monday', but is not"):
        oracle.check(right, answers(right))
    assert oracle.check(wrong, answers(wrong)).max_ulp > 1e10


@pytest.mark.parametrize(
    ("altered", "fault"),
    [
        (lambda one: replace(one, derivative=one.derivative[:, :1]), r"its gradients are float64 of shape \(\d+, 1\)"),
        (lambda one: replace(one, derivative=one.derivative.view(np.float32)[:, ::2]), "its gradients are float32 of"),
        (lambda one: replace(one, y=np.where(np.isnan(one.y), 0.0, one.y)), "y is not NaN where a or b is"),
    ],
    ids=["one gradient", "narrower", "NaN hidden"],
)
def test_results_of_a_wrong_shape_and_hidden_nan_are_refused(
    altered: Callable[[Evaluation], Evaluation], fault: str
) -> None:
    one = kernel("reglu", "recompute", op=Op.STEP)
    with pytest.raises(WrongKernelError, match=fault):
        oracle.check_calls(one, lambda *arguments: altered(answers(one)(*arguments)))


def test_an_element_of_a_timed_result_is_settled_by_the_truth() -> None:
    one, inputs, dy = kernel("reglu", "recompute"), np.array([[2.0, 3.0], [-1.0, 5.0]]), np.array([0.3, 0.7])
    right = np.array([[0.3 * 3.0, 0.3 * 2.0], [0.0, 0.0]])
    oracle.settle(one, 100, inputs, dy, right, of_output=False)
    oracle.settle(one, 100, inputs, dy, np.array([6.0, 0.0]), of_output=True)
    with pytest.raises(
        WrongKernelError, match=r"on timed operands: at a = -1, b = 5, dy = 0\.7 its gradient of b is 0\.1"
    ):
        oracle.settle(one, 100, inputs, dy, right + np.array([[0.0, 0.0], [0.0, 0.1]]), of_output=False)


def test_the_gate_is_the_elementwise_activation() -> None:
    for name, elementwise in {"swiglu": "silu", "reglu": "relu", "glu": "logistic", "geglu-tanh": "gelu-tanh"}.items():
        z = np.linspace(-3.0, 3.0, 13)
        of_gate = gate_of(registry.activation(name)).forward(Dialect.ARRAY, np)
        plain = registry.activation(elementwise).forward(Dialect.SCALAR, np)
        np.testing.assert_allclose([of_gate(float(one)) for one in z], [plain(one) for one in z], rtol=1e-14)


def test_errors_of_b_g_are_in_units_of_g_where_that_is_subnormal() -> None:
    (of_a, of_b, y) = expected(registry.activation("swiglu"), np.array([[-740.0, 1e300]]), np.array([1.0]))
    assert of_a.unit[0] > 1e10 * of_a.truth.ulp[0]
    assert of_b.unit[0] == of_b.truth.ulp[0]
    assert y.unit[0] == pytest.approx(1e300 * 5e-324)
