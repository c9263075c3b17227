"""jax's own functions along rows, and of a and b, with ``jax.vjp``: both passes, two programs of XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._layouts import Layout
from actbench.backends._shipped import Shipped
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype

if TYPE_CHECKING:
    from actbench.backends.jax import Jax


class JaxFunctionAutograd(FunctionAutograd):
    """One of jax's functions of such inputs, in one dtype."""

    differentiator = "jax.vjp"

    def __init__(self, backend: Jax, jax: Any, shipped: Shipped, dtype: Dtype, layout: Layout) -> None:
        """Take jax and its function, and do a forward pass to see what is saved."""
        super().__init__(shipped, layout)
        self._backend, function = backend, shipped.function()

        def forward(*inputs):
            return jax.vjp(function, *inputs)

        def backward(of_dy, dy):
            return of_dy(dy)

        self._joined_by = jax.numpy.concatenate
        self._forward, self._backward = jax.jit(forward), jax.jit(backward)
        sample = layout.sample(numpy_dtype(dtype))
        y, of_dy = self._forward(*sample)
        once = {id(leaf): np.asarray(leaf) for leaf in jax.tree.leaves(of_dy)}
        self.saved = tuple(layout.saved([*once.values()], sample, np.asarray(y)))

    def function(self, op: Op) -> Callable[..., Any]:
        """Return the backward pass, or both passes."""
        forward_pass, backward_pass = self._forward, self._backward

        def backward(dy, of_dy):
            return backward_pass(of_dy, dy)

        def step(dy, *inputs):
            y, of_dy = forward_pass(*inputs)
            return y, *backward_pass(of_dy, dy)

        return self._backend.finish(step if op is Op.STEP else backward)

    def _arguments(self, op: Op, dy: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if op is Op.STEP:
            return (dy, *inputs)
        _, of_dy = self._forward(*inputs)
        return dy, of_dy

    def _joined(self, first: Any, second: Any) -> Any:
        return self._joined_by((first, second))
