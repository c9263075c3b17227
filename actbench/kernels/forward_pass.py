"""The forward pass of a step alone, as calls on operands from memory make it (`Backend.bind_forward`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import compress
from typing import Any

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.placement import Invocation, Memory


def forward_invocation(kernel: Kernel, size: int, memory: Memory, stored: Sequence[Array]) -> Invocation:
    """Return the call of the forward pass of a step's kernel, which stores y and what it keeps beside its input there.

    A backend that allocates returns them, and does not use `stored`.
    """
    backend = kernel.backend
    writable = not kernel.takes_read_only
    shaped = partial(kernel.shaped, rows=memory.rows)
    inputs = [kernel.input_of(shaped(memory.operand(backend, operand, writable=writable))) for operand in kernel.inputs]
    function = kernel.forward_at(size).function
    if not kernel.preallocates:
        return Invocation(function, tuple(inputs), release=kernel.release)
    return Invocation(function, (*(shaped(backend.adopt(array)) for array in stored), *inputs), tuple(stored))


class ForwardPass:
    """The forward pass of a step's kernel, as what can be called between guard bytes."""

    is_compared = True

    def __init__(self, kernel: Kernel) -> None:
        """Take the kernel of a step."""
        self._kernel = kernel
        self.backend = kernel.backend
        self.dtype = kernel.dtype
        self.is_built_in = kernel.is_built_in
        self.is_row = kernel.is_row

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call, which gives y and what it makes beside y: not z, or y again, where it keeps these."""
        kernel = self._kernel
        written = kernel.writes[: -len(kernel.gradients)]
        stored = [
            memory.output(place, operand.dtype(kernel.dtype), per_row=operand.per_row)
            for place, operand in enumerate(written)
        ]
        invocation = forward_invocation(kernel, size, memory, stored)
        if kernel.preallocates:
            return invocation
        made = (True, *(residual in kernel.writes[1:] for residual in kernel.residuals))

        def call(*inputs: Any) -> tuple[Any, ...]:
            return tuple(compress(invocation.function(*inputs), made))

        return Invocation(call, invocation.arguments, release=invocation.release)
