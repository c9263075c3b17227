from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbench import activations
from actbench.errors import WrongKernelError
from actbench.formula import Activation, Flaw, Formulas, Strategy, Weakness
from actbench.kernels.kernel import Array
from actbench.model.cases import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype, Op
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.support import kernels

EVERY = [
    kernel
    for kernel in kernels.every_kernel()
    if kernel.activation in kernels.FULLY or not kernel.backend.startswith("numba")
]
"""What is compiled for other activations is held to the truth in test_derivatives: compiling takes most of the time."""

SAFE = [kernel for kernel in kernels.sample() if kernel.strategy != "textbook"]
SHARP = [kernel for kernel in SAFE if kernel.strategy in {"recompute", "complement"}]

Change = Callable[[Array, Array], Array]
"""From z and the right derivative to a wrong one."""


def identified(chosen: list[Kernel]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kernel", chosen, ids=lambda kernel: kernel.id)


def spoilt(change: Change) -> oracle.Evaluate:
    """Evaluate a kernel whose derivative is changed in some way; its y is right."""

    def answer(kernel: Kernel, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        factor = np.ones_like(z) if kernel.op is Op.DERIVATIVE else dy
        with np.errstate(all="ignore"):
            wrong = (factor * change(z, right.derivative / factor)).astype(right.derivative.dtype)
        return Evaluation(wrong, right.y, right.raised)

    return answer


def refusal(kernel: Kernel, evaluate: oracle.Evaluate) -> str:
    with pytest.raises(WrongKernelError) as refused:
        oracle.check(kernel, evaluate)
    return str(refused.value)


def declare(monkeypatch: pytest.MonkeyPatch, name: str, **strategies: Any) -> None:
    """Add an activation whose forward function is the logistic."""
    forward = activations.get("logistic").build

    def build(m: Any) -> Formulas:
        return Formulas(forward=forward(m).forward, **strategies)

    monkeypatch.setitem(activations.catalogue(), name, Activation(name, "for a test", build))


@identified(EVERY)
def test_a_right_kernel_passes_with_its_largest_error(kernel: Kernel) -> None:
    check = oracle.check(kernel, kernels.evaluate)
    declared = activations.get(kernel.activation).strategies[kernel.strategy].weaknesses
    assert check.kernel == kernel
    assert check.weaknesses == tuple(weakness.why for weakness in declared)
    assert check.worst_z in oracle.points(kernel.activation, kernel.dtype)
    beyond = check.max_ulp is None or check.max_ulp > STATED_ULP
    assert beyond <= bool(declared)
    assert beyond or all(weakness.flaw in {Flaw.AMPLIFIES, Flaw.MERGES} for weakness in declared)


WRONG: dict[str, Change] = {
    "has the wrong sign": lambda _, g: -g,
    "is applied twice": lambda _, g: g * g,
    "expects y but is given z": lambda z, _: (1 - z) * (1 + z),
    "is half of it": lambda _, g: g / 2,
    "is 1": lambda _, g: np.ones_like(g),
    "is 0": lambda _, g: np.zeros_like(g),
    "is NaN": lambda _, g: np.full_like(g, np.nan),
    "is infinite": lambda _, g: np.full_like(g, np.inf),
    "is that of the neighbour": lambda _, g: np.roll(g, 1),
    "is the output": lambda z, _: np.tanh(z),
    "is 0 in both tails": lambda z, g: np.where(abs(z) > 3, 0, g),
    "is right on one side only": lambda z, g: np.where(z < 0, g, 2 * g),
    "is wrong at 0": lambda z, g: np.where(z == 0, 0, g),
    "is NaN for the largest z": lambda z, g: np.where(abs(z) == np.finfo(z.dtype).max, np.nan, g),
}


@identified(SAFE)
@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_wrong_kernel_is_refused_and_the_worst_z_named(kernel: Kernel, change: Change) -> None:
    message = refusal(kernel, spoilt(change))
    assert message.startswith(f"{kernel.id} is wrong: at z = ")
    assert "where g' = " in message
    assert message.split("at z = ")[1].split()[0] in {f"{z:.9g}" for z in oracle.grid(kernel.dtype)}


@identified([kernel for kernel in SHARP if kernel.dtype is Dtype.FLOAT64])
def test_one_part_in_a_million_is_too_much(kernel: Kernel) -> None:
    assert kernel.id in refusal(kernel, spoilt(lambda _, g: g * (1 + 1e-6)))


@identified(SHARP)
@pytest.mark.parametrize("side", [1, -1])
def test_twenty_ulp_are_too_much_and_one_more_is_not(kernel: Kernel, side: int) -> None:
    eps = np.finfo(kernel.dtype).eps
    refusal(kernel, spoilt(lambda _, g: g * (1 + side * 20 * eps)))
    oracle.check(kernel, spoilt(lambda _, g: g * (1 + side * eps)))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(SHARP), st.data())
def test_a_single_wrong_element_is_found_and_its_z_named(kernel: Kernel, data: st.DataObject) -> None:
    grid = oracle.grid(kernel.dtype)
    index = data.draw(st.integers(0, grid.size - 1))

    def change(_: Array, g: Array) -> Array:
        g[index] = g[index] * 1.01 + 0.01
        return g

    named = float(refusal(kernel, spoilt(change)).split("at z = ")[1].split()[0])
    assert named == pytest.approx(grid[index], rel=1e-8, abs=0)
    assert np.signbit(named) == np.signbit(grid[index]), "-0 is another z than 0"


@pytest.mark.parametrize(("activation", "dtype"), [*product(("logistic", "tanh"), Dtype)])
def test_where_digits_cancel_the_absolute_error_is_still_held_to_a_few_eps(activation: str, dtype: Dtype) -> None:
    kernel = Kernel(activation, "cached", "numpy", Op.DERIVATIVE, dtype)
    eps = np.finfo(dtype).eps
    message = refusal(kernel, spoilt(lambda z, g: np.where(z > 5, g + 20 * eps, g)))
    assert float(message.split("at z = ")[1].split()[0]) > 5


@pytest.mark.parametrize("op", Op)
def test_float64_for_float32_is_refused(op: Op) -> None:
    kernel = Kernel("tanh", "recompute", "numpy", op, Dtype.FLOAT32)

    def widened(kernel: Kernel, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        return Evaluation(right.derivative.astype(np.float64), right.y)

    message = refusal(kernel, widened)
    assert message == f"{kernel.id} is wrong: it returns float64 where float32 was asked for"


@pytest.mark.parametrize(
    "reshape",
    [lambda g: g[:-1], lambda g: g[:, np.newaxis], lambda g: g.sum(keepdims=True), lambda g: np.append(g, g[:1])],
    ids=["one too few", "a column", "one for all", "one too many"],
)
def test_another_shape_is_refused(reshape: Callable[[Array], Array]) -> None:
    kernel = Kernel("tanh", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda k, z, dy: Evaluation(reshape(kernels.evaluate(k, z, dy).derivative), None))
    assert message.startswith(f"{kernel.id} is wrong: it returns shape (")


@identified([kernel for kernel in SAFE if kernel.op is Op.STEP])
def test_a_step_whose_output_is_wrong_is_refused(kernel: Kernel) -> None:
    def wrong_output(kernel: Kernel, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        assert right.y is not None
        return Evaluation(right.derivative, np.where(z == 1.0, right.y + np.dtype(kernel.dtype).type(0.01), right.y))

    assert f"{kernel.id} is wrong: at z = 1 it gives" in (message := refusal(kernel, wrong_output))
    assert "where y = " in message


def test_a_step_whose_output_has_another_type_is_refused() -> None:
    kernel = Kernel("tanh", "recompute", "numpy", Op.STEP, Dtype.FLOAT32)

    def widened(kernel: Kernel, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        assert right.y is not None
        return Evaluation(right.derivative, right.y.astype(np.float64))

    assert "returns float64" in refusal(kernel, widened)


@pytest.mark.parametrize("backend", ["python", "numpy", "numba"])
def test_an_undeclared_overflow_is_refused(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    textbook = Kernel("logistic", "textbook", backend, Op.DERIVATIVE, Dtype.FLOAT64)
    honest = activations.get("logistic").build
    monkeypatch.setitem(
        activations.catalogue(),
        "logistic",
        Activation(
            "logistic",
            "for a test",
            lambda m: Formulas(forward=honest(m).forward, textbook=honest(m).strategies["textbook"].derivative),
        ),
    )
    message = refusal(textbook, kernels.evaluate)
    assert float(message.split("at z = ")[1].split()[0]) < -354


@pytest.mark.parametrize("dtype", Dtype)
def test_an_undeclared_cancellation_is_refused(dtype: Dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "careless", cached=lambda y: y * (1.0 - y))
    message = refusal(Kernel("careless", "cached", "numpy", Op.DERIVATIVE, dtype), kernels.evaluate)
    assert float(message.split("at z = ")[1].split()[0]) > 0


@pytest.mark.parametrize("flaw", [flaw for flaw in Flaw if flaw is not Flaw.AMPLIFIES])
def test_a_weakness_that_does_not_occur_is_refused(flaw: Flaw, monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(flaw, "it is said to fail here", lambda z, _: z > 1000)
    declare(monkeypatch, "modest", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = Kernel("modest", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = Kernel("logistic", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    message = refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))
    assert message.startswith(f"{kernel.id} is declared to be wrong where 'it is said to fail here', but is not")


@pytest.mark.parametrize(
    "idle",
    [
        Weakness(Flaw.OVERFLOWS, "it is said to fail here", lambda z, _: z > 1000),
        Weakness(Flaw.CANCELS, "it is said to fail here", lambda z, _: z < -100),
    ],
    ids=lambda weakness: weakness.flaw,
)
def test_a_weakness_that_does_not_occur_is_refused_beside_one_that_does(
    idle: Weakness, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = activations.get("logistic").strategies["textbook"].weaknesses
    declare(monkeypatch, "modest", textbook=Strategy(lambda z: 0.0 * z, weaknesses=(*honest, idle)))
    kernel = Kernel("modest", "textbook", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = Kernel("logistic", "textbook", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    assert "it is said to fail here" in refusal(kernel, lambda _, z, dy: kernels.evaluate(right, z, dy))


def test_an_amplified_error_may_be_larger_by_the_declared_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 ULP times 1 + 2, and not where the factor is 0."""
    weakness = Weakness(Flaw.AMPLIFIES, "twice as many where z > 0", lambda z, _: 2.0 * (z > 0))
    declare(monkeypatch, "amplifying", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = Kernel("amplifying", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = Kernel("logistic", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)

    def wrong_by(ulp: float, side: int) -> oracle.Evaluate:
        change = spoilt(lambda z, g: g * (1 + ulp * np.finfo(np.float64).eps * (side * z > 0)))
        return lambda _, z, dy: change(right, z, dy)

    assert oracle.check(kernel, wrong_by(10, 1)).weaknesses == ("twice as many where z > 0",)
    assert "is wrong: at z = " in refusal(kernel, wrong_by(27, 1))
    assert "is wrong: at z = -" in refusal(kernel, wrong_by(10, -1))


def test_a_factor_that_overflows_where_it_does_not_hold_excuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weakness = Weakness(Flaw.AMPLIFIES, "as many as z^2 where z < 0", lambda z, _: z * z * (z < 0))
    declare(monkeypatch, "amplifying", recompute=Strategy(lambda z: 0.0 * z, weaknesses=(weakness,)))
    kernel = Kernel("amplifying", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    right = Kernel("logistic", "recompute", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    wrong_far_out = spoilt(lambda z, g: np.where(z > 1e200, 0.5, g))
    message = refusal(kernel, lambda _, z, dy: wrong_far_out(right, z, dy))
    assert float(message.split("at z = ")[1].split()[0]) > 1e200


def test_where_y_merges_with_its_value_at_a_kink_the_derivative_is_right_or_that_of_the_kink() -> None:
    kernel = Kernel("hard-sigmoid", "cached", "numpy", Op.DERIVATIVE, Dtype.FLOAT64)
    below = np.nextafter(3.0, 0.0)
    assert kernels.outputs(kernel, np.array([below]))[-1].tolist() == [0.0]
    assert oracle.check(kernel, kernels.evaluate).worst_z == below
    refusal(kernel, spoilt(lambda z, g: np.where(z == below, 0.1, g)))
    refusal(kernel, spoilt(lambda z, g: np.where(z == 2.75, 0.0, g)))


EVERY_STRATEGY = [
    each
    for each in EVERY
    if (each.backend, each.op) == ("numpy", Op.DERIVATIVE)
    for weaknesses in [activations.get(each.activation).strategies[each.strategy].weaknesses]
    if all(weakness.flaw is not Flaw.OVERFLOWS for weakness in weaknesses)
]


@identified(EVERY_STRATEGY)
def test_what_is_wrong_in_whatever_way_is_refused_for_every_strategy(kernel: Kernel) -> None:
    """What leaves the results as they are, such as to square those of a rectifier, is no change."""
    z = oracle.points(kernel.activation, kernel.dtype)
    right = kernels.evaluate(kernel, z, np.ones_like(z)).derivative
    for what, change in WRONG.items():
        with np.errstate(all="ignore"):
            changes_little = np.allclose(change(z, right), right, rtol=1e-3, atol=1e-3, equal_nan=True)
        if not changes_little:
            assert refusal(kernel, spoilt(change)).startswith(f"{kernel.id} is wrong: at z = "), what


def test_a_derivative_of_another_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "mistaken", recompute=lambda z: 1.0 / (1.0 + z * z))
    for dtype in Dtype:
        kernel = Kernel("mistaken", "recompute", "numpy", Op.DERIVATIVE, dtype)
        assert kernel.id in refusal(kernel, kernels.evaluate)


@pytest.mark.parametrize("dtype", Dtype)
def test_kernels_are_checked_in_both_tails_and_at_the_limits_of_their_format(dtype: Dtype) -> None:
    grid = oracle.grid(dtype)
    fmt = np.finfo(dtype)
    assert grid.dtype == dtype
    assert np.isfinite(grid).all()
    for limit in (fmt.max, fmt.tiny, fmt.smallest_subnormal, fmt.eps):
        assert {float(limit), -float(limit)} <= set(grid.astype(float).tolist())
    for low in (-40, -8, -1, 0, 1, 8, 40):
        assert np.any((grid > low) & (grid < low + 1))


@pytest.mark.parametrize("dtype", Dtype)
def test_kernels_are_checked_at_either_zero(dtype: Dtype) -> None:
    grid = oracle.grid(dtype)
    assert set(np.signbit(grid[grid == 0]).tolist()) == {True, False}


@pytest.mark.parametrize(("activation", "dtype"), [*product(kernels.TRUTH, Dtype)])
def test_the_truth_agrees_with_closed_forms_in_fifty_digits(activation: str, dtype: Dtype) -> None:
    z = oracle.points(activation, dtype)
    found = oracle.truth(activation, dtype)
    for truth, exact in zip(found, (kernels.slope(activation, z), kernels.output(activation, z)), strict=True):
        assert truth.nearest.dtype == dtype
        with mpmath.workdps(400):
            for near, rest, ulp, number in zip(truth.nearest, truth.rest, truth.ulp, exact, strict=True):
                if np.isinf(near):
                    assert abs(number) > np.finfo(dtype).max
                    continue
                assert abs(rest) < 0.52
                assert abs(mpmath.mpf(float(near)) + rest * mpmath.mpf(ulp) - number) < 1e-6 * mpmath.mpf(ulp)


MAX = float(np.finfo(np.float64).max)


@pytest.mark.parametrize(
    ("activation", "z", "slope", "output"),
    [
        ("logistic", 0.0, 0.25, 0.5),
        ("logistic", -0.0, 0.25, 0.5),
        ("logistic", 745.0, 5e-324, 1.0),
        ("logistic", -745.0, 5e-324, 5e-324),
        ("logistic", 746.0, 0.0, 1.0),
        ("logistic", -746.0, 0.0, 0.0),
        ("logistic", 2.0, 0.10499358540350652, 0.8807970779778824),
        ("logistic", MAX, 0.0, 1.0),
        ("logistic", -MAX, 0.0, 0.0),
        ("tanh", 0.0, 1.0, 0.0),
        ("tanh", -0.0, 1.0, 0.0),
        ("tanh", 1.0, 0.4199743416140261, 0.7615941559557649),
        ("tanh", 373.0, 5e-324, 1.0),
        ("tanh", 374.0, 0.0, 1.0),
        ("tanh", 745.0, 0.0, 1.0),
        ("tanh", MAX, 0.0, 1.0),
        ("tanh", -MAX, 0.0, -1.0),
        ("identity", 745.0, 1.0, 745.0),
        ("identity", MAX, 1.0, MAX),
        ("exp", 709.0, 8.218407461554972e307, 8.218407461554972e307),
        ("exp", 710.0, np.inf, np.inf),
        ("relu", 0.0, 0.0, 0.0),
        ("relu", 5e-324, 1.0, 5e-324),
        ("hard-swish", 3.0, 1.0, 3.0),
        ("hard-swish", -3.0, 0.0, 0.0),
        ("hard-swish", 1.5, 1.0, 1.125),
        ("selu", -0.0, 1.7580993408473766, 0.0),
        ("elu:alpha=0.5", 0.0, 0.5, 0.0),
        ("elu:alpha=0.5", 5e-324, 1.0, 5e-324),
    ],
)
def test_the_truth_at_some_z(activation: str, z: float, slope: float, output: float) -> None:
    found = [truth.nearest.tolist() for truth in oracle.truth_at(activation, np.array([z]))]
    assert found == [[slope], [output]]


def test_an_error_is_counted_in_units_of_the_last_place() -> None:
    truth = oracle.Truth(
        nearest=np.array([1.0, 0.25, 5e-324]),
        rest=np.array([0.25, -0.5, 0.0]),
        ulp=np.array([2**-52, 2**-54, 5e-324]),
    )
    assert truth.error(truth.nearest).tolist() == [0.25, 0.5, 0.0]
    assert truth.error(np.nextafter(truth.nearest, 1e9)).tolist() == [0.75, 1.5, 1.0]
    assert truth.absolute(np.array([1 + 2**-52, 0.25, 0.0])).tolist() == [0.75, 0.125, 5e-324 / 2**-52]
    assert truth.error(np.array([np.nan, np.inf, -np.inf])).tolist() == [np.inf] * 3
