from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from actbench.backends import _numpy_training
from actbench.errors import InputError, WrongKernelError
from actbench.formula import Flaw, Formulas, Strategy, Weakness, activation
from actbench.kernels.operands import Array
from actbench.kernels.training import NetworkStep
from actbench.kernels.training_arrays import drawn
from actbench.model.checks import StepCheck
from actbench.model.inputs import Inputs
from actbench.model.names import WIDE, Dtype
from actbench.model.training import RECOMPUTE, Optimizer
from actbench.verification.training import check
from actbench.verification.training_differences import _looked_at
from actbench.verification.training_expected import Problem
from actbench.verification.training_reference import slope_of
from tests.support.registered import register
from tests.support.tiers import exhaustive_but
from tests.support.training import DECLARED, ODD, arms, arrays, step

MLP = "mlp:12-16-8-4"

DEEP = "mlp:32-32-32-32-10"


def checked(name: str, arm: str, of: str = "silu", inputs: str = "normal") -> StepCheck:
    one = step(name, arm, of, dtype=Dtype.FLOAT32)
    return check(one, drawn(one.network, 32, Dtype.FLOAT32, 1, Inputs.parse(inputs)), Optimizer.SGD)


def error_of(name: str, arm: str, of: str) -> float:
    error = checked(name, arm, of).error
    assert error is not None
    return error


def supported(name: str, of: str) -> list[str]:
    return [arm for arm in arms(of, ["float16"]) if step(name, arm, of, dtype=Dtype.FLOAT32).unsupported is None]


def declare(monkeypatch: pytest.MonkeyPatch, *, slope: float = 1.0, **more: Any) -> None:
    """Declare the logistic function once more, whose derivative is `slope` times what it should be."""

    @activation
    def mine(m: Any) -> Formulas:
        """One more logistic function."""

        def forward(z: Any) -> Any:
            return 1.0 / (1.0 + m.exp(-z))

        def recompute(z: Any) -> Any:
            y = forward(z)
            return slope * y * (1.0 - y)

        return Formulas(forward=forward, recompute=recompute, **more)

    register(monkeypatch, mine)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("optimizer", Optimizer)
def test_steps_of_every_strategy_in_numpy_have_the_right_gradients(dtype: Dtype, optimizer: Optimizer) -> None:
    for of in ("logistic", "relu", "silu", "gelu", "hard-tanh"):
        for arm in supported(MLP, of):
            one = step(MLP, arm, of, dtype=dtype)
            result = check(one, arrays(one, 32), optimizer)
            assert (result.error or 0.0) < (0.05 if one.variant.storage else 100 * np.finfo(dtype).eps)
            assert (result.kept, result.alive) == (result.predicted_kept, result.predicted_alive)


@pytest.mark.parametrize("dtype", exhaustive_but(WIDE, Dtype.FLOAT32.__eq__))
def test_steps_whose_activation_is_compiled_have_the_right_gradients(dtype: Dtype) -> None:
    for arm in ("recompute", "intermediate", "pair:float16", "checkpoint", "free"):
        one = step(MLP, arm, "silu", "numpy+numba-simd", dtype)
        result = check(one, arrays(one, 32), Optimizer.SGD)
        assert (result.kept, result.alive) == (result.predicted_kept, result.predicted_alive)


@pytest.mark.parametrize("name", [*DECLARED, *ODD])
def test_networks_of_any_form_have_the_right_gradients(name: str) -> None:
    for of in ("relu", "softsign"):
        for arm in supported(name, of):
            checked(name, arm, of)


@pytest.mark.parametrize("inputs", ["normal:0,1000", "normal:100,0.001", "uniform:-1e-30,1e-30"])
def test_networks_that_saturate_or_hardly_do_anything_are_not_refused_for_it(inputs: str) -> None:
    for of in ("relu", "tanh", "hard-sigmoid", "gaussian"):
        for arm in {*supported(DEEP, of)} - {"textbook", "textbook:float16"}:
            checked(DEEP, arm, of, inputs=inputs)


def test_a_derivative_that_is_declared_wrong_is_told_by_differences_of_the_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declare(monkeypatch, slope=1.01)
    message = "the derivative that mine declares as 'recompute' is not that of its forward function: in a random "
    with pytest.raises(WrongKernelError, match=f"^mine/recompute/numpy/{MLP}/float32 is wrong: {message}") as error:
        checked(MLP, "recompute", "mine")
    assert re.search(r"direction of W1 \(12 x 16\) the slope of the loss is \S+, and \S+ by that", str(error.value))


def test_a_strategy_that_is_off_by_a_hundredth_is_refused_with_the_weight_and_its_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declare(monkeypatch, cached=lambda y: 1.01 * y * (1.0 - y))
    checked(MLP, "recompute", "mine")
    off = r"its gradient of (W1 \(12 x 16\)|b1) is off by 2.01 %, in the Euclidean norm, where rounding explains 0.00"
    with pytest.raises(WrongKernelError, match=rf"^mine/cached/numpy/{MLP}/float32 is wrong: {off}"):
        checked(MLP, "cached", "mine")


def test_a_formula_is_not_excused_by_a_narrow_type(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, cached=lambda y: 1.001 * y * (1.0 - y))
    with pytest.raises(
        WrongKernelError, match=r"without the narrow type, in float64, the gradient of \S+.* off by 0\.2"
    ):
        checked(MLP, "cached:bfloat16", "mine")


def test_the_error_of_a_narrow_type_is_reported_and_not_judged() -> None:
    wide, half, brain = (error_of(MLP, arm, "logistic") for arm in ("cached", "cached:float16", "cached:bfloat16"))
    assert wide < 1e-6
    assert 1e-4 < half < 1e-3 < brain < 1e-2
    assert re.fullmatch(r"W\d \(\d+ x \d+\)|b\d", checked(MLP, "cached:float16", "logistic").worst)


def test_a_strategy_that_is_declared_to_be_inaccurate_is_not_refused_and_its_error_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Weakness(Flaw.INACCURATE, "it is a sketch", lambda z, _: z == z)  # noqa: PLR0124  # everywhere
    declare(monkeypatch, cached=Strategy(lambda y: 1.1 * y * (1.0 - y), weaknesses=(known,)))
    assert 0.1 < error_of(MLP, "cached", "mine") < 0.3


@pytest.mark.parametrize(("place", "name"), [(0, r"W1 \(12 x 16\)"), (3, "b2"), (4, r"W3 \(8 x 4\)")])
def test_one_wrong_gradient_is_named(place: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, place, lambda gradient: 1.001 * gradient)
    with pytest.raises(WrongKernelError, match=f"its gradient of {name} is off by 0.1 %"):
        checked(MLP, "recompute")


def test_z_that_lie_exactly_on_a_kink_leave_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, 0, lambda gradient: 1.001 * gradient)
    with pytest.raises(WrongKernelError, match=r"its gradient of W1 \(5 x 4\) is off by 0.1 %"):
        checked("twice:5-4", "recompute", "relu")


def test_z_is_not_computed_again_for_an_activation_whose_strategies_read_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @activation
    def mine(m: Any) -> Formulas:
        """One more exponential function."""

        def forward(z: Any) -> Any:
            return m.exp(z)

        return Formulas(forward=forward, cached=lambda y: y)

    register(monkeypatch, mine)
    assert step(MLP, "checkpoint", "mine").unsupported == "mine has no strategy that computes g' from z alone"
    assert step(MLP, "cached", "mine").unsupported is None
    checked(MLP, "cached", "mine", inputs="normal:0,0.1")


@pytest.mark.parametrize("arm", ["recompute", "free"])
def test_a_gradient_without_numbers_is_refused_in_every_arm(arm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, 2, lambda gradient: np.where(gradient == gradient.max(), np.nan, gradient))
    with pytest.raises(WrongKernelError, match=r"1 of the 128 elements of its gradient of W2 \(16 x 8\) are no number"):
        checked(MLP, arm)


def test_gradients_without_g_need_be_no_more_than_numbers() -> None:
    result = checked(MLP, "free")
    assert (result.error, result.worst) == (None, "")
    assert result.kept == result.alive == result.predicted_alive


def test_a_network_that_overflows_cannot_be_measured_on_these_inputs() -> None:
    with pytest.raises(InputError, match="gradients overflow in float32 on these inputs: draw narrower ones"):
        checked("mlp:9-9-9-9-9-9-9-9", "recompute", "exp")


@pytest.mark.parametrize("arm", ["recompute", "free"])
def test_inputs_on_which_steps_would_train_cannot_be_measured_on(arm: str) -> None:
    with pytest.raises(InputError, match="steps move the parameters"):
        checked(MLP, arm, "relu", inputs="normal:0,1e8")


def test_a_strategy_that_overflows_is_refused_with_what_it_declares() -> None:
    with pytest.raises(InputError, match=r"no number.*: '\(1 \+ e\^-z\)\^2 overflows.*', as it declares"):
        checked(MLP, "textbook", "logistic", inputs="normal:0,1000")


def test_a_check_leaves_the_arrays_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_numpy_training, "LEARNING_RATE", 0.1)
    of = step(MLP, "recompute")
    shared, untouched = arrays(of), arrays(of)
    check(of, shared, Optimizer.ADAM)
    assert all(np.array_equal(*pair) for pair in zip(shared.weights, untouched.weights, strict=True))
    assert all(np.array_equal(*pair) for pair in zip(shared.biases, untouched.biases, strict=True))


def spoil(monkeypatch: pytest.MonkeyPatch, place: int, change: Callable[[Array], Array]) -> None:
    """Change one of the gradients that numpy's steps return."""
    right = _numpy_training.NumpyStep.gradients

    def gradients(self: _numpy_training.NumpyStep) -> list[Array]:
        returned = [*right(self)]
        returned[place] = change(returned[place])
        return returned

    monkeypatch.setattr(_numpy_training.NumpyStep, "gradients", gradients)


@dataclass(frozen=True)
class Computed:
    """A step whose gradients are these."""

    of_parameters: list[Array]

    def gradients(self) -> list[Array]:
        """Return them."""
        return self.of_parameters


@pytest.mark.parametrize("of", ["relu", "tanh"])
@pytest.mark.parametrize("factor", [0.0, 2.0, -1.0])
def test_zeros_twice_the_gradients_and_the_opposite_sign_are_refused_however_many_layers_round_to_16_bits(
    of: str, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = step("mlp:" + "-".join(["16"] * 65), "recompute", of, dtype=Dtype.BFLOAT16)
    shared = arrays(deep)
    (right,) = Problem.on(deep.network, deep.activation, shared).step().gradients(slope_of(deep.activation, RECOMPUTE))
    monkeypatch.setattr(NetworkStep, "step", lambda *_: Computed([factor * gradient for gradient in right]))
    with pytest.raises((InputError, WrongKernelError), match=r"its gradient of \S+.* is off by [12]00 %"):
        check(deep, shared, Optimizer.SGD)


def test_of_a_deep_network_some_weights_are_held_against_differences_from_the_first_to_the_last() -> None:
    assert len(_looked_at(400)) == 24
    assert _looked_at(400)[0] == 0
    assert _looked_at(400)[-1] == 399
    assert _looked_at(3) == [0, 1, 2]


def test_what_is_kept_beside_the_residuals_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: list[Array] = []

    def save(z: Array) -> tuple[Array, Array]:
        y = 1.0 / (1.0 + np.exp(-z))
        hidden.append(y * (1.0 - y))
        return y, np.ones((1, 1))

    def derivative(token: Array) -> Array:
        return np.multiply(hidden.pop(), token)

    declare(monkeypatch, intermediate=Strategy(derivative, save=save))
    with pytest.raises(WrongKernelError, match=r"it keeps \d+ bytes where its residuals, each as large as z, are \d+"):
        checked("dense:12-16", "intermediate", "mine")
