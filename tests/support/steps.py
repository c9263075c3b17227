"""Exact training steps: how long they take, how that divides into parts, and what their check finds."""

from __future__ import annotations

from collections.abc import Callable

from actbench.engine.protocol_training import CheckedStep, CheckStep
from actbench.kernels.resolution import network_step
from actbench.kernels.training_memory import predicted
from actbench.model.cases import Block, Case
from actbench.model.checks import StepCheck
from actbench.model.training import FREE, StepPart

STEP = (
    *("dense:16-8", "--batch", "8", "-a", "logistic", "-b", "numpy", "--operands", "warm"),
    *("--rounds", "7", "--seed", "1"),
)
"""One step of five arms, for ``actbench train``; options that follow replace these, lists are added to."""

MICROSECOND = 1e-6

STEP_MICROSECONDS = {"textbook": 100.0, "recompute": 100.0, "cached": 97.0, "checkpoint": 130.0, "free": 96.0}
"""By strategy, of one row on one backend; 99 of strategies that are not here, 10 of the yardstick."""

TWO_BACKENDS_FACTOR = 0.5

PART_SHARES = {
    StepPart.PRODUCTS_FORWARD: 0.3,
    StepPart.PRODUCTS_BACKWARD: 0.45,
    StepPart.ACTIVATION_FORWARD: 0.05,
    StepPart.ACTIVATION_BACKWARD: 0.03,
    StepPart.BIAS: 0.04,
    StepPart.LOSS: 0.02,
    StepPart.UPDATE: 0.1,
    StepPart.REST: 0.01,
}

INSTRUMENTED = 1.02
"""How many times longer an instrumented step takes."""


def step_seconds(case: Case) -> float:
    """Return the seconds of one step."""
    factor = 1.0 if len(case.backends) == 1 else TWO_BACKENDS_FACTOR
    each = 10.0 if case.is_yardstick else STEP_MICROSECONDS.get(case.strategy.name, 99.0)
    return MICROSECOND * case.size * each * factor


def parts(block: Block, seconds: Callable[[Case], float]) -> tuple[tuple[float, ...], ...]:
    """Return the seconds of the parts of the steps of a block, by arm."""
    return tuple(tuple(INSTRUMENTED * share * seconds(case) for share in PART_SHARES.values()) for case in block.cases)


def checked(request: CheckStep) -> CheckedStep:
    """Return what is declared as counted, half as much again as the peak, and an error of one in ten million."""
    case = Case.parse(request.case)
    step = network_step(case)
    by_arm, by_network = predicted(step, case.size), predicted(step.beside(FREE), case.size)
    assert by_arm is not None
    assert by_network is not None
    kept, alive = by_arm.total, by_network.alive
    error, worst = (1e-7, "W1 (16 x 8)") if step.is_exact else (None, "")
    return CheckedStep(StepCheck(step.identity, error, worst, kept, alive, kept, alive, kept * 3 // 2))
