"""A training step's parts, its arms that are no strategies, and how its parameters are updated."""

from __future__ import annotations

from enum import StrEnum

from actbench.model.variants import Variant

TEXTBOOK = "textbook"
"""The strategy as published. Nobody trains with it where another reads z, too: steps have it only where it is named."""

RECOMPUTE = Variant("recompute")
"""The strategy that others are compared with."""

SHIPPED = Variant("shipped")
CHECKPOINT = Variant("checkpoint")
FREE = Variant("free")

ARMS = {
    SHIPPED: "the framework's own activation, with what its automatic differentiation does",
    CHECKPOINT: "keep the linear layer's input alone, and compute z again",
    FREE: "dy copied in place of dy g'(z), wrong by design: the limit of what a cheaper gradient can save, "
    "unless the step is compiled as a whole",
}
"""What stands in a strategy's place in a training step beside the strategies, in the order of tables."""

LEARNING_RATE = 1e-12
"""So small that a run of a million steps leaves its weights, of about 0.01 to 1, what they were in float64, too."""

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants: D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1."""


class Along(StrEnum):
    """What grows in a series of training steps."""

    BATCH = "batch"
    """Rows, of one network."""
    WIDTH = "width"
    """Features of the first activation, of networks that differ in width alone, with one batch."""


class Optimizer(StrEnum):
    """How parameters are updated from their gradients."""

    SGD = "sgd"
    """Stochastic gradient descent, without momentum."""
    ADAM = "adam"


class StepPart(StrEnum):
    """A part of a training step; together they are the whole of it."""

    PRODUCTS_FORWARD = "products forward"
    """h W of the linear layers, and the element-wise products of gates."""
    PRODUCTS_BACKWARD = "products backward"
    """The gradients of weights and of inputs of these; and h W again, where an arm keeps no z."""
    ACTIVATION_FORWARD = "activation forward"
    ACTIVATION_BACKWARD = "activation backward"
    BIAS = "bias"
    """Adding biases, and summing their gradients."""
    LOSS = "loss"
    """The mean of the squared errors, and its gradient."""
    UPDATE = "update"
    REST = "rest"
    """What lies between the others: calls, references, memory that is released."""
