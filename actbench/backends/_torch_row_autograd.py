"""torch's own functions along rows with torch's autograd, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from actbench.backends._row_autograd import RowAutograd
from actbench.backends._shipped import Shipped
from actbench.model.names import Dtype, Op

if TYPE_CHECKING:
    from actbench.backends.torch import Torch


class TorchRowAutograd(RowAutograd):
    """One of torch's functions along rows, in one dtype."""

    differentiator = "torch.autograd.grad"

    def __init__(self, backend: Torch, torch: Any, shipped: Shipped, dtype: Dtype) -> None:
        """Take torch and its function, and save a sample to see what is saved."""
        super().__init__(shipped, dtype)
        self._backend, self._grad = backend, torch.autograd.grad
        plain = shipped.function()
        self._compiled = cache(lambda _: backend.build(plain) if backend.compiles_for_a_size else plain)
        z, *targets = map(torch.from_numpy, self._sample())
        packed: list[Any] = []

        def pack(tensor: Any) -> Any:
            packed.append(tensor.detach())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            y = self._compiled(z.shape)(z.requires_grad_(), *targets)
        once = {tensor.data_ptr(): tensor.numpy() for tensor in packed}
        self.saved = tuple(self._named([*once.values()], y.detach().numpy()))

    def function(self, op: Op) -> Callable[..., Any]:
        """Return a run of the graph, or both passes; the functions are arguments, each compiled for one shape."""
        grad = self._grad

        def backward(dy, y, leaf):
            (dz,) = grad(y, leaf, dy, retain_graph=True)
            return dz

        def step(function, dy, leaf, *target):
            y = function(leaf, *target)
            (dz,) = grad(y, leaf, dy)
            return y, dz

        return self._backend.finish(step if op is Op.STEP else backward)

    def detached(self, output: Any) -> Any:
        """Return the tensor without its graph."""
        return output.detach()

    def _arguments(self, op: Op, dy: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        leaf, *target = inputs
        leaf, function = leaf.detach().requires_grad_(), self._compiled(leaf.shape)
        return (function, dy, leaf, *target) if op is Op.STEP else (dy, function(leaf, *target), leaf)
