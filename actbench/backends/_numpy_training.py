"""A training step in numpy: products by its BLAS, the activation by numpy or by a compiled backend."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from actbench.backends._backend import source
from actbench.backends._numpy_layers import (
    ActivationLayer,
    CheckpointedActivation,
    Gate,
    LinearLayer,
    Note,
    Parameters,
    Tape,
    backward,
    executed,
    forward,
)
from actbench.backends._training import Array, StepArrays, StepSpec, TrainingStep
from actbench.model.networks import Multiply, Network
from actbench.model.training import BETA1, BETA2, EPSILON, LEARNING_RATE, Optimizer, StepPart


def _ignore(part: StepPart) -> None:
    """Take no note of a part."""


class NumpyStep(TrainingStep):
    """One arm's step in numpy. The tape is all that holds arrays from its forward to its backward pass."""

    def __init__(self, spec: StepSpec, arrays: StepArrays) -> None:
        """Take what it executes, and the arrays that it shares with other arms."""
        assert spec.passes is not None  # noqa: S101  # numpy ships no gradients
        self._arrays = arrays
        moments = spec.optimizer is Optimizer.ADAM
        self._parameters = [
            Parameters(weight, bias, moments=moments)
            for weight, bias in zip(arrays.weights, arrays.biases, strict=True)
        ]
        self._layers = executed(spec.network.layers, iter(self._parameters), spec.passes, checkpoints=spec.checkpoints)
        self._optimizer = spec.optimizer
        self._steps = 0

    def __call__(self) -> None:
        """Do one step."""
        self._step(_ignore)

    def gradients(self) -> Sequence[Array]:
        """Do one step, and return its gradients."""
        self()
        return [gradient for parameters in self._parameters for gradient in parameters.gradients]

    def instrumented(self, clock: Callable[[], float]) -> Mapping[StepPart, float]:
        """Do one step, and look at the clock after every part."""
        seconds = dict.fromkeys(StepPart, 0.0)
        last = clock()

        def note(part: StepPart) -> None:
            nonlocal last
            now = clock()
            seconds[part] += now - last
            last = now

        self._step(note)
        note(StepPart.REST)
        return seconds

    def kept_bytes(self) -> int:
        """Count the buffers of the arrays that the tape holds between the passes."""
        tape: Tape = []
        self._forward_and_loss(tape, _ignore)
        shared = [self._arrays.x, self._arrays.target, *self._arrays.weights, *self._arrays.biases]
        left_out = {_buffer(array)[0] for array in shared}
        held = dict(_buffer(array) for entry in tape for array in entry)
        return sum(nbytes for address, nbytes in held.items() if address not in left_out)

    def peak_bytes(self) -> int:
        """Return the most bytes that numpy has allocated at once in a step, as tracemalloc counts them."""
        self()
        tracemalloc.start()
        try:
            self()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    @classmethod
    def execution(cls, network: Network, *, checkpoints: bool) -> str:
        """Return the source of a step, and of the layers that the network has."""
        step = (cls._step, cls._forward_and_loss, cls._update, cls._descend, cls._adapt)
        gates = [Gate] if any(isinstance(layer, Multiply) for layer in network.layers) else []
        layers = (LinearLayer, CheckpointedActivation if checkpoints else ActivationLayer, *gates)
        return "\n\n".join(map(source, (*step, backward, *layers)))

    def _step(self, note: Note) -> None:
        tape: Tape = []
        self._forward_and_loss(tape, note)
        (output,) = tape.pop()
        error = output - self._arrays.target
        error *= 2.0 / error.size
        del output
        note(StepPart.LOSS)
        backward(self._layers, error, tape, note, to_input=False)
        note(StepPart.REST)
        self._steps += 1
        self._update()
        note(StepPart.UPDATE)

    def _forward_and_loss(self, tape: Tape, note: Note) -> float:
        """Return the loss; the layers' entries are on the tape then, and the output, which the loss keeps."""
        output = forward(self._layers, self._arrays.x, tape, note)
        tape.append((output,))
        error = output - self._arrays.target
        loss = float(np.vdot(error, error)) / error.size
        note(StepPart.LOSS)
        return loss

    def _update(self) -> None:
        match self._optimizer:
            case Optimizer.SGD:
                self._descend()
            case Optimizer.ADAM:
                self._adapt()

    def _descend(self) -> None:
        for parameters in self._parameters:
            for value, gradient, scratch in zip(
                parameters.values, parameters.gradients, parameters.scratch, strict=True
            ):
                np.multiply(gradient, LEARNING_RATE, out=scratch)
                np.subtract(value, scratch, out=value)

    def _adapt(self) -> None:
        rate = LEARNING_RATE / (1 - BETA1**self._steps)
        spread = sqrt(1 - BETA2**self._steps)
        for of in self._parameters:
            for value, gradient, mean, square, scratch in zip(
                of.values, of.gradients, of.means, of.squares, of.scratch, strict=True
            ):
                _blend(mean, gradient, BETA1, scratch)
                np.multiply(gradient, gradient, out=scratch)
                _blend(square, scratch, BETA2, scratch)
                np.sqrt(square, out=scratch)
                np.divide(scratch, spread, out=scratch)
                np.add(scratch, EPSILON, out=scratch)
                np.divide(mean, scratch, out=scratch)
                np.multiply(scratch, rate, out=scratch)
                np.subtract(value, scratch, out=value)


def _blend(average: Array, new: Array, weight: float, scratch: Array) -> None:
    """Update an exponential moving average in place."""
    average *= weight
    np.multiply(new, 1 - weight, out=scratch)
    np.add(average, scratch, out=average)


def _buffer(array: Any) -> tuple[int, int]:
    """Return the address and the bytes of the memory that an array lies in: of the array that it is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.ctypes.data, array.nbytes
