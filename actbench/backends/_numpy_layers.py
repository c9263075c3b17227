"""The layers of a training step in numpy: each has a forward and a backward pass, and what is kept lies on a tape.

Gradients of parameters are written in place; everything else is allocated, as numpy's users do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from actbench.backends._training import Array, Passes
from actbench.model.networks import Activate, Layer, Linear, Multiply
from actbench.model.training import StepPart

Tape = list[tuple[Any, ...]]
"""What layers keep, an entry each; forward passes append to it, and backward passes take from its end."""

Note = Callable[[StepPart], None]
"""Takes the part of a step that has just ended."""


class Executed(Protocol):
    """A layer as it is executed."""

    def forward(self, h: Array, tape: Tape, note: Note) -> Array:
        """Return what the layer makes of h, and keep what the backward pass needs."""

    def backward(self, dy: Array, tape: Tape, note: Note, *, to_input: bool) -> Array:
        """Return the gradient of h; anything where it is not `to_input`, since nothing reads it then."""


class Parameters:
    """The weight and the bias of a linear layer, their gradients, and what an optimizer needs beside these."""

    def __init__(self, weight: Array, bias: Array, *, moments: bool) -> None:
        """Start with gradients of 0; with `moments`, with their averages as well."""
        self.values = weight, bias
        self.gradients = _zeros(self.values)
        self.scratch = _zeros(self.values)
        self.means, self.squares = (_zeros(self.values), _zeros(self.values)) if moments else ((), ())


def _zeros(arrays: Iterable[Array]) -> tuple[Array, ...]:
    return tuple(np.zeros_like(array) for array in arrays)


class LinearLayer:
    """h W + b."""

    def __init__(self, parameters: Parameters) -> None:
        """Take its parameters."""
        self._weight, self._bias = parameters.values
        self._weight_gradient, self._bias_gradient = parameters.gradients

    def forward(self, h: Array, tape: Tape, note: Note) -> Array:
        """Keep h."""
        tape.append((h,))
        return self.product(h, note, StepPart.PRODUCTS_FORWARD)

    def product(self, h: Array, note: Note, part: StepPart) -> Array:
        """Return h W + b."""
        z = h @ self._weight
        note(part)
        z += self._bias
        note(StepPart.BIAS)
        return z

    def backward(self, dy: Array, tape: Tape, note: Note, *, to_input: bool) -> Array:
        """Write the gradients of the parameters."""
        (h,) = tape.pop()
        np.matmul(h.T, dy, out=self._weight_gradient)
        dh = dy @ self._weight.T if to_input else dy
        note(StepPart.PRODUCTS_BACKWARD)
        np.sum(dy, axis=0, out=self._bias_gradient)
        note(StepPart.BIAS)
        return dh


class ActivationLayer:
    """g(z), with the passes of a strategy."""

    def __init__(self, passes: Passes) -> None:
        """Take the passes."""
        self._passes = passes

    def forward(self, h: Array, tape: Tape, note: Note) -> Array:
        """Keep the residuals."""
        y: Array
        y, *residuals = self._passes.forward(h)
        tape.append((*residuals,))
        note(StepPart.ACTIVATION_FORWARD)
        return y

    def backward(self, dy: Array, tape: Tape, note: Note, *, to_input: bool) -> Array:
        """Return dy g'(z)."""
        del to_input
        dz: Array = self._passes.backward(dy, *tape.pop())
        note(StepPart.ACTIVATION_BACKWARD)
        return dz


class CheckpointedActivation:
    """g(z) after a linear layer, whose input is kept in any case: nothing else is, and z is computed again."""

    def __init__(self, passes: Passes, before: LinearLayer) -> None:
        """Take passes that keep z, and the layer that computes it."""
        self._passes, self._before = passes, before

    def forward(self, h: Array, tape: Tape, note: Note) -> Array:
        """Keep nothing."""
        y: Array
        y, *_ = self._passes.forward(h)
        tape.append(())
        note(StepPart.ACTIVATION_FORWARD)
        return y

    def backward(self, dy: Array, tape: Tape, note: Note, *, to_input: bool) -> Array:
        """Compute z from what the layer before keeps, and return dy g'(z)."""
        del to_input
        tape.pop()
        (h,) = tape[-1]
        z = self._before.product(h, note, StepPart.PRODUCTS_BACKWARD)
        dz: Array = self._passes.backward(dy, z)
        note(StepPart.ACTIVATION_BACKWARD)
        return dz


class Gate:
    """The product of what two sequences of layers make of one input."""

    def __init__(self, left: Sequence[Executed], right: Sequence[Executed]) -> None:
        """Take both."""
        self._left, self._right = left, right

    def forward(self, h: Array, tape: Tape, note: Note) -> Array:
        """Keep both factors."""
        factors = forward(self._left, h, tape, note), forward(self._right, h, tape, note)
        tape.append(factors)
        product = np.multiply(*factors)
        note(StepPart.PRODUCTS_FORWARD)
        return product

    def backward(self, dy: Array, tape: Tape, note: Note, *, to_input: bool) -> Array:
        """Return the sum of the gradients through both factors."""
        left, right = tape.pop()
        d_left, d_right = dy * right, dy * left
        del left, right
        note(StepPart.PRODUCTS_BACKWARD)
        through_right = backward(self._right, d_right, tape, note, to_input=to_input)
        through_left = backward(self._left, d_left, tape, note, to_input=to_input)
        if not to_input:
            return through_left
        dh = through_left + through_right
        note(StepPart.PRODUCTS_BACKWARD)
        return dh


def forward(layers: Sequence[Executed], h: Array, tape: Tape, note: Note) -> Array:
    """Return what layers make of h."""
    for layer in layers:
        h = layer.forward(h, tape, note)
    return h


def backward(layers: Sequence[Executed], dy: Array, tape: Tape, note: Note, *, to_input: bool) -> Array:
    """Write the gradients of all parameters, and return that of the layers' input where it is needed."""
    for index in reversed(range(len(layers))):
        dy = layers[index].backward(dy, tape, note, to_input=to_input or index > 0)
    return dy


def executed(
    layers: Sequence[Layer], parameters: Iterator[Parameters], passes: Passes, *, checkpoints: bool
) -> list[Executed]:
    """Return layers as they are executed; each linear one takes the next parameters."""
    made: list[Executed] = []
    for layer in layers:
        match layer:
            case Linear():
                made.append(LinearLayer(next(parameters)))
            case Activate() if checkpoints and made and isinstance(made[-1], LinearLayer):
                made.append(CheckpointedActivation(passes, made[-1]))
            case Activate():
                made.append(ActivationLayer(passes))
            case Multiply():
                left = executed(layer.left, parameters, passes, checkpoints=checkpoints)
                right = executed(layer.right, parameters, passes, checkpoints=checkpoints)
                made.append(Gate(left, right))
    return made
