"""jax's own functions along rows with ``jax.vjp``: the forward pass and the backward pass, two programs of XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from actbench.backends._row_autograd import RowAutograd
from actbench.backends._shipped import Shipped
from actbench.model.names import Dtype, Op

if TYPE_CHECKING:
    from actbench.backends.jax import Jax


class JaxRowAutograd(RowAutograd):
    """One of jax's functions along rows, in one dtype."""

    differentiator = "jax.vjp"

    def __init__(self, backend: Jax, jax: Any, shipped: Shipped, dtype: Dtype) -> None:
        """Take jax and its function, and do a forward pass to see what is saved."""
        super().__init__(shipped, dtype)
        self._backend, function = backend, shipped.function()

        def forward(z):
            return jax.vjp(function, z)

        def backward(of_dy, dy):
            (dz,) = of_dy(dy)
            return dz

        self._forward, self._backward = jax.jit(forward), jax.jit(backward)
        y, of_dy = self._forward(*self._sample())
        once = {id(leaf): np.asarray(leaf) for leaf in jax.tree.leaves(of_dy)}
        self.saved = tuple(self._named([*once.values()], np.asarray(y)))

    def function(self, op: Op) -> Callable[..., Any]:
        """Return the backward pass, or both passes."""
        forward_pass, backward_pass = self._forward, self._backward

        def backward(dy, of_dy):
            return backward_pass(of_dy, dy)

        def step(z, dy):
            y, of_dy = forward_pass(z)
            return y, backward_pass(of_dy, dy)

        return self._backend.finish(step if op is Op.STEP else backward)

    def _arguments(self, op: Op, dy: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if op is Op.STEP:
            return (*inputs, dy)
        _, of_dy = self._forward(*inputs)
        return dy, of_dy
