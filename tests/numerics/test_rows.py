"""Row activations: gradients and y on hard rows, what is kept, and what the oracle refuses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.errors import InputError, WrongKernelError
from actbench.formula import Activation, Flaw, Formulas, Strategy, Weakness
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.row_kernel import RowKernel
from actbench.kernels.rows import targets
from actbench.model.cases import Case, KernelId
from actbench.model.names import WIDE, Dtype, Op
from actbench.model.sizes import Shape, Size
from actbench.model.variants import Variant
from actbench.planning import presets
from actbench.planning.resolved import resolved
from actbench.verification import oracle
from actbench.verification.evaluation import Evaluation
from actbench.verification.rows import RowCall, checked, of, with_targets_on_top
from actbench.verification.truth.rows import expected
from tests.support.along_rows import answers
from tests.support.tiers import exhaustive_but

NAMES = [name for name, one in registry.activations().items() if one.is_row]
BACKENDS = ("python", "numpy", "numba", "numba-simd", "numba-simd-streaming", "numba-parallel", "torch", "jax")
QUICK = {("softmax-cross-entropy", "numpy"), ("softmax", "python")}
BOUND = 4.0
"""ULP of max|y| max|dy| of a row within which the stable strategies are, in numpy and numba-simd."""


def kernel(
    name: str, strategy: str, backend: str = "numpy", op: Op = Op.BACKWARD, dtype: Dtype = Dtype.FLOAT64
) -> Kernel:
    return resolution.kernel(KernelId(registry.activation(name).name, Variant(strategy), backend, op, dtype))


@pytest.mark.parametrize(("name", "backend"), exhaustive_but([*product(NAMES, BACKENDS)], QUICK.__contains__))
def test_every_strategy_gives_the_gradient_and_y_within_what_it_declares(name: str, backend: str) -> None:
    if reason := registry.backends()[backend].unavailable:
        pytest.skip(reason)
    for strategy, dtype in product(registry.activation(name).strategies, WIDE):
        one = kernel(name, strategy, backend, Op.STEP, dtype)
        if not one.unsupported:
            oracle.check(one, answers(one))
            oracle.check_calls(one, answers(one))


@pytest.mark.parametrize("temperature", exhaustive_but([0.1, 4.0], (4.0).__eq__))
def test_softmax_is_right_at_other_temperatures(temperature: float) -> None:
    one = kernel(f"softmax:temperature={temperature}", "intermediate", op=Op.STEP)
    oracle.check(one, answers(one))


@pytest.mark.parametrize(
    ("backend", "strategy"),
    exhaustive_but(
        [*product(["numpy", "numba-simd"], ["recompute", "intermediate"])], {("numba-simd", "recompute")}.__contains__
    ),
)
def test_gradients_of_softmax_are_within_4_ulp_of_the_largest_y_times_the_largest_dy(
    backend: str, strategy: str
) -> None:
    one = kernel("softmax", strategy, backend, dtype=Dtype.FLOAT32)
    for rows in checked(one.activation, Dtype.FLOAT32):
        computed = answers(one)(one.identity, rows.z, rows.dy).derivative
        largest = np.abs(rows.y.nearest).max(axis=1) * np.abs(rows.dy).max(axis=1)
        ulp = np.spacing(largest)[:, None]
        known = np.isfinite(ulp[:, 0])
        error = np.abs(computed.astype(np.float64) - rows.gradient.nearest) / ulp
        assert error[known].max() <= BOUND


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "strategies"),
    [
        ("logsumexp", ["recompute", "intermediate"]),
        ("softmax-cross-entropy", ["recompute", "cached", "intermediate"]),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", "numba-simd"])
def test_gradients_are_within_4_ulp_of_the_row_s_largest(name: str, strategies: list[str], backend: str) -> None:
    for strategy, dtype in product(strategies, WIDE):
        one = kernel(name, strategy, backend, dtype=dtype)
        for rows in checked(one.activation, dtype):
            error = rows.gradient.error(answers(one)(one.identity, rows.z, rows.dy).derivative)
            assert np.where(rows.lost, 0.0, error).max() <= BOUND


@pytest.mark.parametrize("strategy", ["recompute", "cached", "intermediate"])
def test_the_gradient_of_cross_entropy_has_all_digits_where_the_target_is_far_above_the_others(strategy: str) -> None:
    z, dy = np.random.default_rng(0).standard_normal((2, 8, 9)).astype(np.float32)
    z[:, 0] += np.linspace(0.0, 60.0, 8, dtype=np.float32)
    one = kernel("softmax-cross-entropy", strategy, dtype=Dtype.FLOAT32, op=Op.STEP)
    some = of(one.activation, with_targets_on_top(z), dy)
    answer = answers(one)(one.identity, some.z, some.dy)
    assert answer.y is not None
    assert some.gradient.error(answer.derivative).max() <= BOUND
    assert some.y.of_each(answer.y).max() <= BOUND


def test_the_target_of_a_row_is_one_of_its_columns_wherever_the_row_and_its_elements_are() -> None:
    z = np.random.default_rng(0).standard_normal((1000, 5))
    drawn = targets(z)
    assert set(drawn.ravel().tolist()) == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(targets(z[::-1, ::-1]), drawn[::-1])


def test_a_target_is_one_integer_a_row() -> None:
    one = kernel("softmax-cross-entropy", "cached", op=Op.STEP)
    assert [(operand.name, operand.per_row) for operand in one.reads] == [("z", False), ("target", True), ("dy", True)]
    assert [operand.name for operand in one.writes] == ["y", "p", "dz"]
    assert [str(operand.dtype(one.dtype)) for operand in one.residuals] == ["int64", "float64"]
    assert (one.kept_bytes, one.moved_bytes) == (8, 8 * 4)


def test_y_of_logsumexp_is_one_number_a_row_and_so_is_dy() -> None:
    one = kernel("logsumexp", "pair", op=Op.STEP)
    assert [(operand.name, operand.per_row) for operand in one.reads] == [("z", False), ("dy", True)]
    assert [(operand.name, operand.per_row) for operand in one.writes] == [("y", True), ("dz", False)]
    assert (one.kept_bytes, one.alive_bytes, one.moved_bytes) == (8, 0, 8 * 3)


def test_y_of_logsumexp_may_cancel_beside_the_row_s_largest() -> None:
    z = np.log(np.array([[0.25, 0.25, 0.5]]))
    _, y = expected(registry.activation("logsumexp"), z, np.ones((1, 1)))
    assert abs(y.nearest) < 1e-15
    assert y.error(np.array([[4e-16]])) < BOUND


def test_the_truth_is_y_times_dy_less_its_mean() -> None:
    z, dy = np.random.default_rng(0).standard_normal((2, 3, 5))
    gradient, y = expected(registry.activation("softmax"), z, dy)
    e = np.exp(z)
    right = e / e.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(y.nearest, right, rtol=1e-14)
    mean = (right * dy).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(gradient.nearest, right * (dy - mean), rtol=1e-12, atol=1e-16)


def test_the_gradient_of_a_row_of_one_column_is_0_beside_what_it_is_the_difference_of() -> None:
    gradient, _ = expected(registry.activation("softmax"), np.array([[0.25]]), np.array([[2.0]]))
    assert gradient.nearest == 0
    assert gradient.error(np.array([[1e-15]])) < BOUND


def test_the_gradient_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    z, dy = np.random.default_rng(0).standard_normal((2, 4, 9))
    one = kernel("softmax", "cached")
    of_z = torch.tensor(z, requires_grad=True)
    torch.softmax(of_z, -1).backward(torch.tensor(dy))
    np.testing.assert_allclose(answers(one)(one.identity, z, dy).derivative, of_z.grad, atol=1e-15)


def test_the_gradient_of_cross_entropy_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    z, dy = np.random.default_rng(0).standard_normal((2, 4, 9))
    one = kernel("softmax-cross-entropy", "recompute", op=Op.STEP)
    answer, of_z = answers(one)(one.identity, z, dy[:, :1]), torch.tensor(z, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(of_z, torch.tensor(targets(z)[:, 0]), reduction="none")
    loss.backward(torch.tensor(dy[:, 0]))
    assert answer.y is not None
    np.testing.assert_allclose(answer.y[:, 0], loss.detach(), rtol=1e-14)
    np.testing.assert_allclose(answer.derivative, of_z.grad, atol=1e-15)


def test_what_is_one_number_a_row_is_kept_beside_z_and_counted_apart() -> None:
    one = kernel("softmax", "intermediate", "numba-simd", Op.STEP)
    assert [(operand.name, operand.per_row) for operand in one.residuals] == [
        ("z", False),
        ("top", True),
        ("total", True),
    ]
    assert [operand.name for operand in one.writes] == ["y", "top", "total", "dz"]
    assert one.kept_bytes == 8
    assert one.moved_bytes == 8 * 5
    assert (one.row_bytes.kept, one.row_bytes.moved) == (8 * 2, 8 * 4)


def test_there_is_no_derivative_and_the_reason_names_the_ops() -> None:
    with pytest.raises(InputError, match=r"softmax works along rows: an element of y depends on all z .*--op backward"):
        kernel("softmax", "recompute", op=Op.DERIVATIVE).require_supported()


def test_the_number_of_rows_is_part_of_a_case() -> None:
    one = kernel("softmax", "cached").identity
    wide, long = (one.of(Size.of(Shape(text)), rows=Shape(text).rows) for text in ("4x8", "8x4"))
    assert wide != long
    assert wide.id == "softmax/cached/numpy/backward/float64/4x8"
    assert Case.parse(wide.id) == wide
    assert one.of(Size(32)).id.endswith("/32")
    assert wide.empty_block != long.empty_block


def test_shapes_are_rows_of_what_works_along_them_and_names_of_sizes_elsewhere() -> None:
    shapes = tuple(Size.of(Shape(text)) for text in ("4x8", "8x4"))
    start = presets.get("default").axes.with_named({"activations": ("softmax",), "sizes": shapes})
    assert {case.rows for case, _ in resolved(start).cases("*")} == {4, 8}
    assert {case.op for case, _ in resolved(start).cases("*")} == {Op.BACKWARD}
    both = start.with_named({"activations": ("softmax", "tanh")})
    with pytest.raises(InputError, match="4x8 and 8x4 are the same measurement of tanh, of 32 elements"):
        resolved(both)


def scaled(factor: float, weaknesses: tuple[Weakness, ...] = ()) -> RowKernel:
    """Return softmax with a gradient that is off by a factor."""
    right = registry.activation("softmax").build

    def build(m: object) -> Formulas:
        formulas = right(m)

        def wrong(dy: Array, y: Array) -> Array:
            gradient: Array = factor * formulas.strategies["cached"].derivative(dy, y)  # type: ignore[operator]
            return gradient

        return Formulas(forward=formulas.forward, cached=Strategy(wrong, weaknesses=weaknesses))

    return unregistered(Activation("scaled", "softmax, off", build), "cached")


def unregistered(one: Activation, strategy: str, backend: str = "numpy", op: Op = Op.BACKWARD) -> RowKernel:
    identity = KernelId(one.name, Variant(strategy), backend, op, Dtype.FLOAT64)
    return RowKernel(identity, registry.backend(backend), one, strategy, None)


def test_a_wrong_gradient_is_refused_with_its_row() -> None:
    wrong = scaled(1.0 + 1e-14)
    with pytest.raises(WrongKernelError, match=r"its gradient is .* ULP of the row's largest; 8 are allowed\)"):
        oracle.check(wrong, answers(wrong))


def test_of_a_right_gradient_a_weakness_that_shows_nowhere_is_all_that_is_refused() -> None:
    idle = scaled(1.0, (Weakness(Flaw.INACCURATE, "it is Monday", lambda z, _: z > 0.0),))
    with pytest.raises(WrongKernelError, match="is declared to be wrong where 'it is Monday', but is not"):
        oracle.check(idle, answers(idle))


@pytest.mark.parametrize(
    ("altered", "fault"),
    [
        (lambda gradient: gradient[:, 1:], r"its gradient is float64 of \d+ elements, where float64 of \d+ is"),
        (lambda gradient: gradient.astype(np.float32), "its gradient is float32 of"),
        (np.nan_to_num, "gradient of a row with NaN is not NaN"),
    ],
    ids=["elements missing", "narrower", "NaN hidden"],
)
def test_results_of_a_wrong_shape_and_hidden_nan_are_refused(altered: Callable[[Array], Array], fault: str) -> None:
    one = kernel("softmax", "cached")

    def evaluate(identity: KernelId, z: Array, dy: Array) -> Evaluation:
        return Evaluation(altered(answers(one)(identity, z, dy).derivative), None)

    with pytest.raises(WrongKernelError, match=fault):
        oracle.check_calls(one, evaluate)


@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_a_number_may_stand_before_an_operator(backend: str) -> None:
    def build(m: Any) -> Formulas:
        def forward(z: Any) -> Any:
            return (3.0 - z) / m.sum(2.0 * z) + 1.0 / (2.0 + z * z)

        return Formulas(forward=forward, recompute=lambda dy, z: dy * z, uncached="no")

    z, dy = np.random.default_rng(0).standard_normal((2, 3, 5))
    one = unregistered(Activation("mine", "mine", build), "recompute", backend, Op.STEP)
    right = (3.0 - z) / (2.0 * z).sum(axis=-1, keepdims=True) + 1.0 / (2.0 + z * z)
    y = answers(one)(one.identity, z, dy).y
    assert y is not None
    np.testing.assert_allclose(y, right, rtol=1e-12)


def test_a_row_of_a_timed_result_is_settled_by_the_truth() -> None:
    one, z, dy = kernel("softmax", "recompute"), np.array([0.0, 0.0]), np.array([1.0, 0.0])
    oracle.settle(one, 100, z, dy, np.array([0.25, -0.25]), of_output=False)
    oracle.settle(one, 100, z, dy, np.array([0.5, 0.5]), of_output=True)
    with pytest.raises(WrongKernelError, match=r"on timed operands: its gradient is 0\.26 where 0\.25 is right"):
        oracle.settle(one, 100, z, dy, np.array([0.26, -0.25]), of_output=False)


@pytest.mark.parametrize("name", ["log-softmax", "softmax-cross-entropy"])
def test_the_upstream_gradient_is_what_a_sum_leaves_that_overflows_though_no_exponential_does(name: str) -> None:
    kernel = resolution.kernel(KernelId(name, Variant("textbook"), "numpy", Op.BACKWARD, Dtype.FLOAT32))
    z = np.array([[87.0] * 100, [1.0] * 100], dtype=np.float32)
    rows = of(kernel.activation, z, np.random.default_rng(1).standard_normal(z.shape).astype(np.float32))
    gradient = answers(kernel)(kernel.identity, rows.z, rows.dy).derivative.reshape(z.shape)
    assert {*np.abs(gradient[0])} <= {0.0, *np.abs(rows.dy[0])}
    RowCall(kernel, rows, Evaluation(gradient, None)).require()
    with pytest.raises(WrongKernelError, match="of a row of 100 from 1 to 1"):
        RowCall(kernel, rows, Evaluation(gradient[[0, 0]], None)).require()
