"""A training step in jax as its users write it: one jitted function that returns new parameters.

A strategy is a `jax.custom_vjp`, a checkpoint a `jax.checkpoint` of the linear layer and its activation. Where
residuals come from z and y alone, or nothing is kept, y is computed by jax's own function if it has one; so these arms
differ in what they keep and in the backward pass, and in nothing else.

XLA compiles forward pass, backward pass and update as one program. It computes once what both passes compute in the
same way, and lays out memory for the whole: what a strategy keeps is what jax hands from one pass to the next, and
XLA may hold less, or more. On the processor it ignores the barrier of `jax.checkpoint`, too: it computes z once, and
holds it (jaxlib 0.10.2, whose program of a checkpoint has no product more than that of ``recompute``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from actbench.backends._backend import source
from actbench.backends._training import Array, StepArrays, StepSpec, TrainingStep
from actbench.backends.jax import Jax, library, start
from actbench.model.networks import Activate, Layer, Linear, Multiply
from actbench.model.training import BETA1, BETA2, EPSILON, LEARNING_RATE, Optimizer, StepPart

Pair = tuple[Any, Any]
"""The weight and the bias of a linear layer."""


class JaxStep(TrainingStep):
    """One arm's step with jax.

    Parameters are copies of the shared arrays; every step donates them, and the optimizer's state, to the next.
    """

    def __init__(self, spec: StepSpec, arrays: StepArrays, backend: Jax) -> None:
        """Take what it executes, and the arrays that it shares with other arms."""
        start()
        jax = library()
        self._batch = backend.adopt(arrays.x), backend.adopt(arrays.target)
        pairs = zip(arrays.weights, arrays.biases, strict=True)
        self._parameters = [tuple(jax.numpy.array(array, copy=True) for array in pair) for pair in pairs]
        self._loss = _loss_of(spec, backend.shipped_function(spec.activation))
        initial, update = _OPTIMIZERS[spec.optimizer]
        self._state = initial(self._parameters)
        self._step = jax.jit(_step_of(self._loss, update), donate_argnums=(0, 1))
        self._step_and_gradients = jax.jit(_step_of(self._loss, update, with_gradients=True), donate_argnums=(0, 1))

    def __call__(self) -> None:
        """Do one step."""
        self._parameters, self._state, loss = self._step(self._parameters, self._state, *self._batch)
        loss.block_until_ready()

    def gradients(self) -> Sequence[Array]:
        """Do one step, compiled so that it returns its gradients, too."""
        results = self._step_and_gradients(self._parameters, self._state, *self._batch)
        self._parameters, self._state, _, gradients = results
        return [library().device_get(gradient) for gradient in chain.from_iterable(gradients)]

    def instrumented(self, clock: Callable[[], float]) -> Mapping[StepPart, float] | None:
        """Return None: a step is one compiled program."""
        del clock
        return None

    def kept_bytes(self) -> int:
        """Count the arrays that jax hands from the forward pass to the backward pass, where it calls both unjitted."""
        jax = library()
        _, backward = jax.vjp(lambda parameters: self._loss(parameters, *self._batch), self._parameters)
        left_out = {_buffer(array)[0] for array in jax.tree.leaves((self._batch, self._parameters))}
        held = dict(map(_buffer, jax.tree.leaves(backward)))
        return sum(nbytes for address, nbytes in held.items() if address not in left_out)

    def peak_bytes(self) -> int | None:
        """Return what XLA allocates for a step beside what it is given: its temporary memory, and results of their own.

        XLA lays this out when it compiles, and allocates it as a whole for every call.
        """
        lowered = self._step.lower(self._parameters, self._state, *self._batch)
        memory = lowered.compile().memory_analysis()
        return int(memory.temp_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes)


def execution() -> str:
    """Return the source of a step."""
    parts: list[Callable[..., Any]] = [_step_of, _loss_of, _output, _activation, _descend, _adapt]
    return "\n\n".join(source(part) for part in parts)


def _loss_of(spec: StepSpec, function: Callable[[Any], Any] | None) -> Callable[..., Any]:
    """Return the loss, a function of parameters, x and target."""
    activate = _activation(spec, function)
    layers, checkpoints = spec.network.layers, spec.checkpoints

    def loss(parameters, x, target):
        error = _output(layers, x, iter(parameters), activate, checkpoints=checkpoints) - target
        return (error * error).mean()

    return loss


def _output(
    layers: Sequence[Layer],
    h: Any,
    parameters: Iterator[Pair],
    activate: Callable[[Any], Any],
    *,
    checkpoints: bool,
) -> Any:
    """Return what layers make of h; each linear one takes the next parameters."""

    def activated(h, weight, bias):
        return activate(h @ weight + bias)

    remaining = list(layers)
    while remaining:
        match remaining.pop(0):
            case Linear() if checkpoints and remaining and isinstance(remaining[0], Activate):
                remaining.pop(0)
                h = library().checkpoint(activated)(h, *next(parameters))
            case Linear():
                weight, bias = next(parameters)
                h = h @ weight + bias
            case Activate():
                h = activate(h)
            case Multiply() as gate:
                factors = [
                    _output(side, h, parameters, activate, checkpoints=checkpoints) for side in (gate.left, gate.right)
                ]
                h = factors[0] * factors[1]
    return h


def _activation(spec: StepSpec, shipped: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """Return g: jax's own with its gradient, or a function with the passes of a strategy."""
    if spec.passes is None:
        assert shipped is not None  # noqa: S101  # `ships` has said so
        return shipped
    keeping, gradient = spec.passes.with_function(shipped), spec.passes.backward

    def forward(z):
        y, *residuals = keeping(z)
        return y, residuals

    def backward(residuals, dy):
        return (gradient(dy, *residuals),)

    activation = library().custom_vjp(lambda z: keeping(z)[0])
    activation.defvjp(forward, backward)
    function: Callable[[Any], Any] = activation
    return function


def _step_of(loss: Callable[..., Any], update: Callable[..., Any], *, with_gradients: bool = False) -> Any:
    """Return a whole step: (parameters, state, x, target) -> (parameters, state, loss), and the gradients."""
    evaluate = library().value_and_grad(loss)

    def step(parameters, state, x, target):
        value, gradients = evaluate(parameters, x, target)
        parameters, state = update(parameters, state, gradients)
        return (parameters, state, value, gradients) if with_gradients else (parameters, state, value)

    return step


def _no_state(parameters: Any) -> Any:
    del parameters
    return ()


def _descend(parameters, state, gradients):
    new = library().tree.map(lambda value, gradient: value - LEARNING_RATE * gradient, parameters, gradients)
    return new, state


def _moments(parameters: Any) -> Any:
    jax = library()
    return 0, jax.tree.map(jax.numpy.zeros_like, parameters), jax.tree.map(jax.numpy.zeros_like, parameters)


def _adapt(parameters, state, gradients):
    jax = library()
    steps, means, squares = state
    steps += 1
    means = jax.tree.map(lambda mean, new: BETA1 * mean + (1 - BETA1) * new, means, gradients)
    squares = jax.tree.map(lambda square, new: BETA2 * square + (1 - BETA2) * new * new, squares, gradients)

    def updated(value, mean, square):
        mean, square = mean / (1 - BETA1**steps), square / (1 - BETA2**steps)
        return value - LEARNING_RATE * mean / (jax.numpy.sqrt(square) + EPSILON)

    return jax.tree.map(updated, parameters, means, squares), (steps, means, squares)


_OPTIMIZERS: Mapping[Optimizer, tuple[Callable[..., Any], Callable[..., Any]]] = {
    Optimizer.SGD: (_no_state, _descend),
    Optimizer.ADAM: (_moments, _adapt),
}
"""The state before the first step, and the update."""


def _buffer(array: Any) -> tuple[int, int]:
    """Return the address and the bytes of the memory that an array lies in."""
    return array.unsafe_buffer_pointer(), array.nbytes
