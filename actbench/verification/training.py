"""The check of an arm of a training step, before it is timed: its gradients beside those of a step in float64.

A step that overflows on these inputs, by its mathematics or as its strategy declares, is not wrong, but cannot be
measured on them; nor can one whose gradients rounding leaves no digit of, which zeros could not be told from.

A strategy with narrow residuals is held against its formula in float64 on rounded residuals, and this formula, on
residuals that are not rounded, against the reference. The error in a `StepCheck` is that against the reference, so it
includes the price of the narrow type. A strategy that is declared to be inaccurate must return numbers, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from actbench.backends import StepArrays
from actbench.errors import InputError, WrongKernelError
from actbench.formula import Flaw, Weakness
from actbench.kernels.operands import Array
from actbench.kernels.training import NetworkStep
from actbench.kernels.training_memory import predicted
from actbench.model.checks import StepCheck
from actbench.model.training import FREE, LEARNING_RATE, Optimizer
from actbench.model.variants import Variant
from actbench.verification.training_expected import MOST, Expected, Problem, reference
from actbench.verification.training_reference import parameter_names, slope_of

MOVED = 1e-2
"""Difference of a weight or bias from what was drawn, relative to its norm: above it, steps train, and may diverge."""

MOVING = "on these inputs, gradients are so large that steps move the parameters that arms share: draw narrower ones"

STEPS = 1000
"""Steps after which parameters must not have moved: fewer than those of a round."""


def check(step: NetworkStep, arrays: StepArrays, optimizer: Optimizer) -> StepCheck:
    """Execute an arm a few times on copies of the parameters, and compare; `WrongKernelError` where it is wrong.

    `InputError` where it cannot be measured on these inputs. The message names the weight or bias, and how far its
    gradient is off. The gradients of the arm that leaves g' out need only be numbers.
    """
    free = step.beside(FREE)
    executed = step.step(_copied(arrays), optimizer)
    with np.errstate(all="ignore"):
        computed = [np.array(gradient, dtype=np.float64) for gradient in executed.gradients()]
        _require_numbers(step, computed, arrays)
        if optimizer is Optimizer.SGD:
            _require_small(computed, arrays)
        error, worst = _compare(step, computed, arrays) if step.is_exact else (None, "")
        kept, peak = executed.kept_bytes(), executed.peak_bytes()
        alive = free.step(_copied(arrays), optimizer).kept_bytes() if step.is_exact else kept
    by_arm, by_network = (predicted(arm, len(arrays.x)) for arm in (step, free))
    assert by_network is not None  # noqa: S101  # only what a framework ships is not predicted
    total = None if by_arm is None else by_arm.total
    if step.trainer.products.takes_arrays and kept != total:
        raise WrongKernelError(
            f"{step.identity.id} is wrong: it keeps {kept} bytes where its residuals, each as large as z, are {total}: "
            "return what the derivative reads, and nothing else"
        )
    return StepCheck(step.identity, error, worst, kept, alive, total, by_network.alive, peak, code=step.code)


def _require_numbers(arm: NetworkStep, gradients: Sequence[Array], arrays: StepArrays) -> None:
    for name, gradient in zip(parameter_names(arm.network), gradients, strict=True):
        missing = np.count_nonzero(~np.isfinite(gradient))
        if not missing:
            continue
        some = f"{missing} of the {gradient.size} elements of its gradient of {name} are no number, but NaN or infinite"
        overflows = [weakness.why for weakness in _weaknesses(arm) if weakness.flaw is Flaw.OVERFLOWS]
        if overflows:
            raise InputError(f"{some}: '{overflows[0]}', as it declares; draw narrower inputs")
        right, _ = reference(Problem.on(arm.network, arm.activation, arrays))
        if not right.fits(arm.identity.dtype):
            raise InputError(
                f"gradients overflow in {arm.identity.dtype} on these inputs: draw narrower ones, or take fewer layers"
            )
        raise WrongKernelError(f"{arm.identity.id} is wrong: {some}")


def _require_small(gradients: Sequence[Array], arrays: StepArrays) -> None:
    """Raise `InputError` where gradients are so large that steps would train the parameters which arms share."""
    parameters = [array for pair in zip(arrays.weights, arrays.biases, strict=True) for array in pair]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        moved = STEPS * LEARNING_RATE * np.linalg.norm(gradient) / np.linalg.norm(parameter.astype(np.float64))
        if not moved <= MOVED:
            raise InputError(MOVING)


def _compare(arm: NetworkStep, computed: Sequence[Array], arrays: StepArrays) -> tuple[float, str]:
    """Return the largest relative error, and the weight or bias that has it; `WrongKernelError` where it is wrong."""
    problem = Problem.on(arm.network, arm.activation, arrays)
    right, fault = reference(problem)
    if fault:
        raise WrongKernelError(f"{arm.identity.id} is wrong: {fault}")
    if not any(weakness.flaw is Flaw.INACCURATE for weakness in _weaknesses(arm)):
        expected = right
        if arm.variant.storage:
            wide, narrow = (slope_of(arm.activation, one) for one in (Variant(arm.variant.name), arm.variant))
            (gradients,) = problem.step().gradients(wide)
            _hold(arm, "without the narrow type, in float64, the gradient", gradients, problem, right)
            expected = problem.expected(narrow)
        _hold(arm, "its gradient", computed, problem, expected)
    return right.worst(computed)


def _weaknesses(arm: NetworkStep) -> tuple[Weakness, ...]:
    """Return those that the strategy declares which it computes g' by; none where g' is a framework's."""
    return arm.kernel.weaknesses if arm.kernel else ()


def _hold(arm: NetworkStep, what: str, computed: Sequence[Array], problem: Problem, expected: Expected) -> None:
    """Raise `WrongKernelError` where a gradient is further off than is allowed; of several, name the worst.

    `InputError` where one is further off than `MOST`, and rounding explains even that.
    """
    if expected.beyond(computed) is not None:
        worst = problem.weakened(expected, _weaknesses(arm)).beyond(computed)
        if worst is not None:
            error, name, allowed = worst
            raise WrongKernelError(
                f"{arm.identity.id} is wrong: {what} of {name} is off by {100 * error:.3g} %, in the Euclidean norm, "
                f"where rounding explains {100 * allowed:.2g} %"
            )
    error, name = expected.worst(computed)
    if error > MOST:
        raise InputError(
            f"{what} of {name} is off by {100 * error:.3g} %, in the Euclidean norm, and rounding in "
            f"{arm.identity.dtype} explains as much: take fewer layers, narrower inputs or a wider type"
        )


def _copied(arrays: StepArrays) -> StepArrays:
    """Return the arrays with parameters of their own, which steps may update."""
    weights, biases = (tuple(array.copy() for array in group) for group in (arrays.weights, arrays.biases))
    return replace(arrays, weights=weights, biases=biases)
