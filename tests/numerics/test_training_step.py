from __future__ import annotations

import weakref
from itertools import chain, count
from time import perf_counter

import numpy as np
import pytest

from actbench.backends import StepArrays, _numpy_training
from actbench.backends._numpy_training import NumpyStep
from actbench.kernels.operands import Array
from actbench.kernels.training import plainest
from actbench.model.names import WIDE, Dtype
from actbench.model.training import BETA1, BETA2, EPSILON, Optimizer, StepPart
from actbench.verification.training_reference import ReferenceStep, slope_of
from tests.support.training import DECLARED, ODD, arms, arrays, step

MLP = "mlp:12-16-8-4"

RATE = 0.1


def parameters_of(shared: StepArrays) -> list[Array]:
    return [*chain.from_iterable(zip(shared.weights, shared.biases, strict=True))]


@pytest.mark.parametrize("name", [*DECLARED, *ODD])
def test_gradients_in_float64_are_those_of_the_reference(name: str) -> None:
    for activation in ("silu", "relu", "logistic"):
        for arm in arms(activation):
            of = step(name, arm, activation)
            if of.unsupported or not of.is_exact:
                continue
            shared = arrays(of)
            reference = ReferenceStep(of.network, of.activation, shared)
            (expected,) = reference.gradients(slope_of(of.activation, plainest(of.activation)))
            computed = of.step(shared, Optimizer.SGD).gradients()
            for one, right in zip(computed, expected, strict=True):
                assert np.linalg.norm(one - right) <= 1e-12 * np.linalg.norm(right), (activation, arm)


def test_descent_subtracts_the_gradient_times_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_numpy_training, "LEARNING_RATE", RATE)
    of = step(MLP, "recompute")
    shared, before = arrays(of), parameters_of(arrays(of))
    gradients = of.step(shared, Optimizer.SGD).gradients()
    for after, start, gradient in zip(parameters_of(shared), before, gradients, strict=True):
        np.testing.assert_allclose(after, start - RATE * gradient, rtol=1e-14, atol=1e-16)


def test_two_steps_of_adam_are_those_of_its_publication(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_numpy_training, "LEARNING_RATE", RATE)
    of = step(MLP, "recompute")
    shared, before = arrays(of), parameters_of(arrays(of))
    executed = of.step(shared, Optimizer.ADAM)
    first, second = ([gradient.copy() for gradient in executed.gradients()] for _ in range(2))
    assert not np.allclose(first[0], second[0])
    for after, value, *gradients in zip(parameters_of(shared), before, first, second, strict=True):
        mean, square = np.zeros_like(value), np.zeros_like(value)
        for t, gradient in enumerate(gradients, 1):
            mean = BETA1 * mean + (1 - BETA1) * gradient
            square = BETA2 * square + (1 - BETA2) * gradient**2
            value = value - RATE * (mean / (1 - BETA1**t)) / (np.sqrt(square / (1 - BETA2**t)) + EPSILON)  # noqa: PLW2901
        np.testing.assert_allclose(after, value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("optimizer", Optimizer)
@pytest.mark.parametrize("dtype", WIDE)
def test_a_thousand_steps_leave_parameters_as_they_are_and_all_numbers_normal(
    dtype: Dtype, optimizer: Optimizer
) -> None:
    of = step("mlp:64-32-10", "cached", "logistic", dtype=dtype)
    shared, before = arrays(of, 32), parameters_of(arrays(of, 32))
    executed = of.step(shared, optimizer)
    assert isinstance(executed, NumpyStep)
    for _ in range(1000):
        executed()
    for after, start in zip(parameters_of(shared), before, strict=True):
        assert np.linalg.norm(after - start) <= 1e-8 * np.linalg.norm(start)
    for of_layer in executed._parameters:
        moments = (*of_layer.means, *of_layer.squares) if optimizer is Optimizer.ADAM else ()
        for array in (*of_layer.values, *of_layer.gradients, *moments):
            assert np.all(np.isfinite(array) & (np.abs(array) >= np.finfo(dtype).tiny))


@pytest.mark.parametrize("arm", ["recompute", "cached", "checkpoint", "free"])
def test_the_parts_of_a_step_add_up_to_its_duration(arm: str) -> None:
    executed = instrumented("glu-ffn:6-8", arm)
    looks = count()
    seconds = executed.instrumented(lambda: next(looks) ** 2.0)
    assert sum(seconds.values()) == (next(looks) - 1) ** 2.0
    assert {*seconds} == {*StepPart}
    assert all(duration > 0 for duration in seconds.values())
    assert all(duration >= 0 for duration in executed.instrumented(perf_counter).values())


def test_an_instrumented_step_and_a_plain_one_compute_the_same() -> None:
    one, two = (instrumented(MLP, "recompute") for _ in range(2))
    one.instrumented(perf_counter)
    two()
    assert all(np.array_equal(*pair) for pair in zip(one.gradients(), two.gradients(), strict=True))


def test_a_step_is_freed_without_the_garbage_collector() -> None:
    executed = instrumented(MLP, "recompute")
    executed.instrumented(perf_counter)
    executed.gradients()
    reference = weakref.ref(executed)
    del executed
    assert reference() is None


def instrumented(name: str, arm: str) -> NumpyStep:
    of = step(name, arm, "logistic")
    executed = of.step(arrays(of), Optimizer.ADAM)
    assert isinstance(executed, NumpyStep)
    return executed
