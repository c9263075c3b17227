"""torch's own activations with torch's autograd, eager or compiled.

``derivative`` and ``backward`` call torch's kernel for the gradient on what autograd saves, where it has one.
Otherwise, and where the function is compiled, they run autograd's graph, whose forward pass is done before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from actbench.backends._autograd import DY, SAMPLE, Autograd, Saved, Y, Z, named
from actbench.backends._backend import Bound
from actbench.backends._shipped import Shipped
from actbench.backends._torch_gradients import GRADIENTS
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype

if TYPE_CHECKING:
    from actbench.backends.torch import Torch


class TorchAutograd(Autograd):
    """One of torch's activations, in one dtype."""

    def __init__(self, backend: Torch, torch: Any, shipped: Shipped, dtype: Dtype) -> None:
        """Take torch and its function, and save a sample to see what is saved."""
        self._backend, self._torch, self._dtype = backend, torch, dtype
        self._activation = shipped.function()
        self.call = str(shipped)
        self._ones = cache(lambda size: backend.adopt(np.ones(size, numpy_dtype(dtype))))
        self._function = cache(self._built)
        self._keywords = shipped.keywords
        self._described = None if backend.compiles_for_a_size else GRADIENTS.get(shipped.path)
        self._kernel = self._described.function(torch.ops.aten, shipped.keywords) if self._described else None
        sample = np.random.default_rng(0).standard_normal(SAMPLE).astype(numpy_dtype(dtype))
        y, arrays = self._saving(sample)
        self.saved: tuple[Saved, ...] = named(arrays, {Z: sample, Y: y})

    def bind(self, op: Op, size: int) -> Bound:
        """Return torch's kernel, autograd's graph, or the forward pass and autograd."""
        return self._compiled(size, self._call_of(op, size))

    def bind_forward(self, size: int) -> Bound:
        """Return what gives y, and y with the graph and its leaf."""
        function = self._function(size)

        def forward(leaf):
            y = function(leaf)
            return y, y, leaf

        return self._compiled(size, self._backend.finish(forward))

    def bind_backward(self, size: int) -> Bound:
        """Return a run of the graph, which stays."""
        return self._compiled(size, self._backend.finish(self._graph()))

    def reads(self, op: Op) -> tuple[str, ...]:
        """Return what the kernel reads; of a graph z, from which it is made."""
        if op is Op.STEP:
            return (Z, DY)
        kept = tuple(saved.name for saved in self.saved) if self._kernel else (Z,)
        return kept if op is Op.DERIVATIVE else (DY, *kept)

    def holds_output(self, op: Op) -> bool:
        """Return whether a call needs y, to which the graph belongs."""
        return op is not Op.STEP and self._kernel is None

    def arguments(self, op: Op, size: int, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments of a kernel, a graph in place of them, or the leaf of a step."""
        if op is Op.STEP:
            z, dy = operands
            return self.leaf(z), dy
        dy, *kept = (self._one(size), *operands) if op is Op.DERIVATIVE else operands
        if self._described:
            return self._described.arguments(self._keywords, dy, *kept)
        leaf = self.leaf(*kept)
        return dy, self._function(size)(leaf), leaf

    def keep(self, z: Any) -> Mapping[str, Any]:
        """Save what the forward pass saves."""
        _, arrays = self._saving(z)
        return {saved.name: array for saved, array in zip(self.saved, arrays, strict=True) if saved.name != Z}

    def gradient(self, op: Op) -> str:
        """Return torch's kernel, or autograd."""
        if self._described and op is not Op.STEP:
            return f"torch.ops.aten.{self._described.name}"
        return "torch.autograd.grad"

    def detached(self, output: Any) -> Any:
        """Return the tensor without its graph."""
        return output.detach()

    def leaf(self, z: Any) -> Any:
        """Return a tensor over the same memory whose gradient autograd computes."""
        return z.detach().requires_grad_()

    def _one(self, size: int) -> Any:
        """Return dy = 1: for a kernel one number, read as an array; for a graph an array."""
        return self._ones(1).expand(size) if self._kernel else self._ones(size)

    def _call_of(self, op: Op, size: int) -> Callable[..., Any]:
        if op is Op.STEP:
            return self._backend.finish(self._step(size))
        return self._backend.finish(self._kernel or self._graph())

    def _step(self, size: int) -> Callable[..., Any]:
        function, grad = self._function(size), self._torch.autograd.grad

        def step(leaf, dy):
            y = function(leaf)
            (dz,) = grad(y, leaf, dy)
            return y, dz

        return step

    def _graph(self) -> Callable[..., Any]:
        grad = self._torch.autograd.grad

        def gradient(dy, y, leaf):
            (dz,) = grad(y, leaf, dy, retain_graph=True)
            return dz

        return gradient

    def _built(self, size: int) -> Callable[..., Any]:
        """Return the function, compiled for one size where the backend does that: torch limits how often it may be."""
        del size
        function = self._activation
        if not self._backend.compiles_for_a_size:
            return function

        def call(z):
            return function(z)

        return self._backend.build(call)

    def _compiled(self, size: int, function: Callable[..., Any]) -> Bound:
        """Return a function after both passes have been compiled for this size."""
        if not self._backend.compiles_for_a_size:
            return Bound(function)
        start = time.perf_counter()
        bound = self._backend.compile(self._step(size), (self.leaf(self._ones(size)), self._ones(size)))
        return replace(bound, function=function, compile_seconds=time.perf_counter() - start)

    def _saving(self, z: Any) -> tuple[Any, list[Any]]:
        """Return y, and what autograd saves of the size of z, each memory once, as numpy arrays."""
        leaf = self.leaf(self._backend.adopt(z))
        packed: list[Any] = []

        def pack(tensor: Any) -> Any:
            packed.append(tensor.detach())
            return tensor

        with self._torch.autograd.graph.saved_tensors_hooks(pack, _same):
            y = self._function(z.size)(leaf)
        once = {tensor.data_ptr(): tensor for tensor in packed if tensor.numel() == z.size}
        release = self._backend.release
        return release(y.detach()), [release(tensor) for tensor in once.values()]


def _same(tensor: Any) -> Any:
    return tensor
