"""A training step in torch as its users write it: a forward pass, mse_loss, backward, and an optimizer of torch.optim.

torch.compile compiles the forward pass and the loss, and with them what autograd makes of these; ``backward()`` and
the optimizer are called as ever. What a compiled step keeps is then up to the compiler: it may compute again what a
strategy saves, and save what a strategy computes again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from actbench.backends._backend import source
from actbench.backends._torch_layers import (
    Note,
    Run,
    Shared,
    Stage,
    activation_of,
    checkpoint_of,
    executed,
    gate_of,
    ignore,
    linear_of,
    marked_checkpoint,
    run,
)
from actbench.backends._torch_parts import Stopwatch
from actbench.backends._training import Array, StepArrays, StepSpec, TrainingStep
from actbench.backends.torch import Torch, library
from actbench.model.networks import Multiply, Network
from actbench.model.training import BETA1, BETA2, EPSILON, LEARNING_RATE, Optimizer, StepPart


class TorchStep(TrainingStep):
    """One arm's step with torch.

    Weights are leaves of shape (outputs, inputs), as torch.nn.Linear has them: transposed views of the shared arrays on
    the processor, copies of these on a device. Gradients are allocated anew by every step, which is torch's default.
    """

    def __init__(self, spec: StepSpec, arrays: StepArrays, backend: Torch) -> None:
        """Take what it executes, the arrays that it shares with other arms, and where and how it is executed."""
        self._spec, self._backend = spec, backend
        self._x, self._target = backend.adopt(arrays.x), backend.adopt(arrays.target)
        self._parameters = [
            (backend.adopt(weight).t().requires_grad_(), backend.adopt(bias).requires_grad_())
            for weight, bias in zip(arrays.weights, arrays.biases, strict=True)
        ]
        self._loss = backend.build(_loss_of(self._stages(run, ignore), run))
        self._optimizer = _optimizer(spec.optimizer, [*chain.from_iterable(self._parameters)])
        self._whole_step = backend.finish(TorchStep._step)  # unbound: a step that holds itself outlives its block

    def __call__(self) -> None:
        """Do one step."""
        self._whole_step(self)

    def gradients(self) -> Sequence[Array]:
        """Do one step, and return its gradients."""
        self()
        pairs = [(weight.grad.t(), bias.grad) for weight, bias in self._parameters]
        return [self._backend.release(gradient) for gradient in chain.from_iterable(pairs)]

    def instrumented(self, clock: Callable[[], float]) -> Mapping[StepPart, float] | None:
        """Do one step, and look at a clock after every layer and every node; None where it is compiled."""
        if self._backend.compiles_for_a_size:
            return None
        watch, stages = self._watched
        watch.start(clock)
        self._optimizer.zero_grad()
        watch.note(StepPart.REST)
        loss = library().nn.functional.mse_loss(watch.run(stages, self._x), self._target)
        watch.note(StepPart.LOSS)
        watch.watch(loss, StepPart.LOSS)
        loss.backward()
        watch.note(StepPart.REST)
        self._optimizer.step()
        watch.note(StepPart.UPDATE)
        return watch.stop()

    def kept_bytes(self) -> int:
        """Count the storages of the tensors that autograd saves in the forward pass and for the loss."""
        shared = [self._x, self._target, *chain.from_iterable(self._parameters)]
        left_out = {_storage(tensor)[0] for tensor in shared}
        saved: list[Any] = []

        def pack(tensor: Any) -> Any:
            saved.append(tensor.detach())
            return saved[-1]  # where the tensor is the result of the node that saves it, neither would ever be freed

        with library().autograd.graph.saved_tensors_hooks(pack, _same):
            loss = self._loss(self._x, self._target)
        held = dict(map(_storage, saved))
        del loss
        return sum(nbytes for address, nbytes in held.items() if address not in left_out)

    def peak_bytes(self) -> int | None:
        """Return the most bytes of the device that a step has allocated at once; None on the processor."""
        if not self._backend.on_device:
            return None
        memory = library().cuda
        self()
        self._optimizer.zero_grad()
        before = memory.memory_allocated()
        memory.reset_peak_memory_stats()
        self()
        return int(memory.max_memory_allocated() - before)

    @classmethod
    def execution(cls, network: Network, *, checkpoints: bool, compiled: bool) -> str:
        """Return the source of a step, and of the layers that the network has."""
        parts: list[Callable[..., Any]] = [cls._step, _loss_of, _optimizer, run, linear_of, activation_of]
        if checkpoints:
            parts.append(marked_checkpoint if compiled else checkpoint_of)
        if any(isinstance(layer, Multiply) for layer in network.layers):
            parts.append(gate_of)
        return "\n\n".join(source(part) for part in parts)

    def _step(self) -> None:
        self._optimizer.zero_grad()
        self._loss(self._x, self._target).backward()
        self._optimizer.step()

    def _stages(self, run: Run, note: Note) -> list[Stage]:
        spec = self._spec
        function, compiled = self._backend.shipped_function(spec.activation), self._backend.compiles_for_a_size
        shared = Shared(function, spec.passes, spec.checkpoints, compiled, run, note)
        return executed(spec.network.layers, iter(self._parameters), shared)

    @cached_property
    def _watched(self) -> tuple[Stopwatch, list[Stage]]:
        """The watch of instrumented steps, and layers that note their parts there."""
        watch = Stopwatch(self._backend.finish(_nothing))
        return watch, self._stages(watch.run, watch.note)


def _loss_of(stages: Sequence[Stage], run: Run) -> Callable[[Any, Any], Any]:
    mse_loss = library().nn.functional.mse_loss

    def loss(x, target):
        return mse_loss(run(stages, x), target)

    return loss


def _optimizer(optimizer: Optimizer, parameters: Sequence[Any]) -> Any:
    optim = library().optim
    match optimizer:
        case Optimizer.SGD:
            return optim.SGD(parameters, lr=LEARNING_RATE)
        case Optimizer.ADAM:
            return optim.Adam(parameters, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON)


def _storage(tensor: Any) -> tuple[int, int]:
    """Return the address and the bytes of the memory that a tensor lies in."""
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.nbytes()


def _same(tensor: Any) -> Any:
    return tensor


def _nothing() -> None:
    """Do nothing: a call that waits is made of it."""
