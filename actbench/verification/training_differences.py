"""The gradients of a reference step beside central differences of its loss: whether g' is that of g.

For every weight and bias, the loss at two points along a random direction tells the gradient's component in it,
whatever formulas the gradient comes from; of a deep network, for a part of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from actbench.backends import StepArrays
from actbench.formula import Activation
from actbench.kernels.operands import Array
from actbench.model.networks import Network
from actbench.verification.training_reference import ReferenceStep, Slope, parameter_names

ROWS = 64
"""The most rows of a batch that are used: with the features of a layer, enough z to meet all of their usual range."""

STEPS = tuple(10.0**-digits for digits in range(4, 10))
"""How far z is moved, where the inputs of its layer are about 1. The error of a central difference is of the order of
the square of the step, so that the first is enough where g is smooth. A kink between the two points adds an error: the
smaller the step, the fewer there are. Large inputs need smaller steps, too."""

AGREEMENT = 1e-4
"""The largest difference, relative to the Euclidean norm of a gradient, whose component in a direction of N(0, 1) in
every element is about as large as that norm: a thousand times the error of the first step."""

NOISE = 16 * float(np.finfo(np.float64).eps)
"""The relative error of a loss in float64. A step at which it hides a difference of `AGREEMENT` tells nothing."""

MOST = 24
"""Weights and biases that are looked at. Each takes twelve forward passes at most, through all layers."""

SEED = 1
"""Of the directions."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A weight or bias whose gradient is not that of the loss."""

    name: str
    slope: float
    """The component of the gradient in the direction."""
    difference: float
    """The difference of the losses by the distance of their points."""


def disagreement(network: Network, activation: Activation, arrays: StepArrays, slope: Slope) -> Disagreement | None:
    """Return the first weight or bias whose gradient by this g' is not that of the loss; None where all are.

    Gradients so small that rounding hides them in differences count as right.
    """
    step = ReferenceStep(network, activation, replace(arrays, x=arrays.x[:ROWS], target=arrays.target[:ROWS]))
    (gradients,) = step.gradients(slope)
    rng = np.random.default_rng(SEED)
    names = parameter_names(network)
    for place in _looked_at(len(names)):
        name, direction = names[place], rng.standard_normal(gradients[place].shape)
        component = float(np.vdot(gradients[place], direction))
        allowed = AGREEMENT * float(np.linalg.norm(gradients[place]))
        difference = _difference(step, place, direction, component, allowed)
        if difference is not None and not abs(difference - component) <= allowed:
            return Disagreement(name, component, difference)
    return None


def _looked_at(count: int) -> list[int]:
    """Return the places of the weights and biases that are changed: all, or `MOST` evenly from the first to the last.

    All z of a network are behind its first weight, so that no activation is left out.
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, MOST))})


def _difference(step: ReferenceStep, place: int, direction: Array, expected: float, allowed: float) -> float | None:
    """Return the central difference of the largest step that gives the expected one, else of the smallest step.

    None where no step tells anything.
    """
    unit = 1 / sqrt(len(direction)) if direction.ndim > 1 else 1.0
    difference = None
    for size in STEPS:
        distance = size * unit
        above, below = (_loss(step, place, side * distance * direction) for side in (1, -1))
        if NOISE * (above + below) / (2 * distance) > allowed:
            break
        difference = (above - below) / (2 * distance)
        if abs(difference - expected) <= allowed:
            break
    return difference


def _loss(step: ReferenceStep, place: int, change: Array) -> float:
    """Return the loss where one weight or bias is changed."""
    parameters = [*step.parameters]
    parameters[place] = parameters[place] + change
    return step.loss(parameters)
