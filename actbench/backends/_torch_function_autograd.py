"""torch's own functions along rows, and of a and b, with torch's autograd, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._layouts import Layout
from actbench.backends._shipped import Shipped
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype

if TYPE_CHECKING:
    from actbench.backends.torch import Torch


class TorchFunctionAutograd(FunctionAutograd):
    """One of torch's functions of such inputs, in one dtype."""

    differentiator = "torch.autograd.grad"

    def __init__(self, backend: Torch, torch: Any, shipped: Shipped, dtype: Dtype, layout: Layout) -> None:
        """Take torch and its function, and save a sample to see what is saved."""
        super().__init__(shipped, layout)
        self._backend, self._torch = backend, torch
        plain = shipped.function()
        self._compiled = cache(lambda _: backend.build(plain) if backend.compiles_for_a_size else plain)
        sample = layout.sample(numpy_dtype(dtype))
        leaves, others = self._leaves(tuple(map(backend.adopt, sample)))
        packed: list[Any] = []

        def pack(tensor: Any) -> Any:
            packed.append(tensor.detach())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            y = self._compiled(leaves[0].shape)(*leaves, *others)
        once = {tensor.data_ptr(): backend.release(tensor) for tensor in packed}
        self.saved = tuple(layout.saved([*once.values()], sample, backend.release(y.detach())))

    def function(self, op: Op) -> Callable[..., Any]:
        """Return a run of the graph, or both passes; the functions are arguments, each compiled for one shape."""
        grad = self._torch.autograd.grad

        def backward(dy, y, leaves):
            return grad(y, leaves, dy, retain_graph=True)

        def step(function, dy, leaves, others):
            y = function(*leaves, *others)
            return y, *grad(y, leaves, dy)

        return self._backend.finish(step if op is Op.STEP else backward)

    def detached(self, output: Any) -> Any:
        """Return the tensor without its graph."""
        return output.detach()

    def _arguments(self, op: Op, dy: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        leaves, others = self._leaves(inputs)
        function = self._compiled(leaves[0].shape)
        return (function, dy, leaves, others) if op is Op.STEP else (dy, function(*leaves, *others), leaves)

    def _joined(self, first: Any, second: Any) -> Any:
        return self._torch.cat((first, second))

    def _leaves(self, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return tensors over the same memory whose gradients autograd computes, and the inputs that have none."""
        end = self._layout.gradients
        return tuple(tensor.detach().requires_grad_() for tensor in inputs[:end]), inputs[end:]
