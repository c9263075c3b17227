"""A framework's own function along rows, or of a and b, with its own gradients: strategy ``shipped`` of these.

The backward pass alone is a run of what a forward pass, which is not timed, leaves behind: a graph, or a function.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from actbench.backends import Bound, FunctionAutograd
from actbench.kernels import gated
from actbench.kernels.operands import DY, Array, Operand
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.shipped import ShippedKernel
from actbench.model.names import Op
from actbench.model.training import SHIPPED


@dataclass(frozen=True, slots=True)
class SplitInvocation(Invocation):
    """A call that may return the gradients of several operands in one array."""

    autograd: FunctionAutograd | None = None
    """What splits them."""

    def arrays(self, returned: tuple[Any, ...]) -> list[Array]:
        """Return the outputs that a call returned as arrays, one for each gradient."""
        assert self.autograd is not None  # noqa: S101  # there is no call without
        return self.autograd.split([self.release(output) for output in returned])


class ShippedFunctionKernel(ShippedKernel):
    """What a case of such a function executes."""

    described: str
    """What these activations are, in words."""

    def unsupported_cold(self) -> str:
        """Why its operands cannot come from memory."""
        return f"operands of what frameworks ship {self.described}, such as {self.activation.name}, are warm"

    @cached_property
    def function_autograd(self) -> FunctionAutograd:
        """The framework's function and its gradients; `InputError` where it cannot be executed here."""
        self.require_supported()
        return self.backend.function_autograd(self.activation.name, self.dtype, self.formulas.inputs)

    @property
    def call(self) -> str:
        """The framework's function as Python has it."""
        return self.function_autograd.call

    def bound_at(self, size: int) -> Bound:
        """Return the callable: a library that compiles for a shape does so in the first call, which is not timed."""
        del size
        return self._bound

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """What the forward pass takes."""
        return tuple(self._of_activation(Operand(name)) for name in self.formulas.inputs)

    @cached_property
    def residuals(self) -> tuple[Operand, ...]:
        """What the framework saves."""
        known = {operand.name: operand for operand in self.inputs}
        return tuple(
            known.get(saved.name)
            or Operand(saved.name, SHIPPED.name, None, self.function_autograd, per_row=saved.per_row)
            for saved in self.function_autograd.saved
        )

    @cached_property
    def reads(self) -> tuple[Operand, ...]:
        """The arrays that a call reads, or from which what it reads is made."""
        return (*self.inputs, self._of_activation(DY))

    @cached_property
    def writes(self) -> tuple[Operand, ...]:
        """The arrays that a call returns."""
        return (*((self._of_activation(Operand("y")),) if self.op is Op.STEP else ()), *self.gradients)

    @cached_property
    def touches(self) -> tuple[Operand, ...]:
        """The arrays that a call reads."""
        return tuple(dict.fromkeys([*self.reads, *self.residuals]))

    @cached_property
    def kept_bytes(self) -> int:
        """Bytes per element that the framework keeps between the passes."""
        return self._bytes(*self.residuals)

    @cached_property
    def moved_bytes(self) -> int:
        """Bytes per element that a call reads and writes: temporaries not counted."""
        return self.kept_bytes + self._bytes(*self._beside)

    @cached_property
    def _beside(self) -> tuple[Operand, ...]:
        """What a call reads and writes beside what is kept."""
        dy = self._of_activation(DY)
        return (*self.inputs, dy, *self.writes) if self.op is Op.STEP else (dy, *self.gradients)

    def release(self, output: Any) -> Array:
        """Return an output as a numpy array of one dimension, without its graph."""
        released: Array = self.backend.release(self.function_autograd.detached(output))
        return released.reshape(-1)

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a case of `size` elements, on operands in memory."""
        del size
        operands = [self.shaped(memory.operand(self.backend, operand), memory.rows) for operand in self.reads]
        arguments = self.function_autograd.arguments(self.op, operands)
        return SplitInvocation(self._bound.function, arguments, release=self.release, autograd=self.function_autograd)

    @cached_property
    def _bound(self) -> Bound:
        return Bound(self.function_autograd.function(self.op))

    def _bytes(self, *operands: Operand) -> int:
        return sum(operand.dtype(self.dtype).itemsize for operand in operands if not operand.per_row)

    def _of_activation(self, operand: Operand) -> Operand:
        """Return an operand as the activation has it."""
        return operand


class ShippedGatedKernel(ShippedFunctionKernel):
    """What a case of a framework's own gated activation executes, or of its own gate times b."""

    described = "of gated activations"

    @property
    def unsupported(self) -> str | None:
        """Why its backend has no such function, available or not; None where it has."""
        return gated.without_derivative(self.activation, self.op) or super().unsupported
