"""A framework's own function along rows with its own gradient, as what a case executes: strategy ``shipped``."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from actbench.backends import Bound, RowAutograd
from actbench.kernels import rows
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, RESULT, Array, Operand
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.row_kernel import RowKernel
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.traffic import ALIVE
from actbench.model.names import Op
from actbench.model.row_bytes import RowBytes
from actbench.model.training import RECOMPUTE, SHIPPED


class ShippedRowKernel(ShippedKernel):
    """What a case of a framework's own gradient along rows executes.

    The backward pass alone is a run of what a forward pass, which is not timed, leaves behind: a graph, or a function.
    """

    is_row = True

    @property
    def unsupported(self) -> str | None:
        """Why its backend has no such function, available or not; None where it has."""
        return rows.unsupported(self) or super().unsupported

    def unsupported_cold(self) -> str:
        """Why its operands cannot come from memory."""
        return f"operands of what frameworks ship along rows, such as {self.activation.name}, are warm"

    @property
    def outline(self) -> Kernel:
        """Strategy ``recompute``, which keeps z: what a framework keeps is read from it, and about as much as that."""
        identity = replace(self.identity, strategy=RECOMPUTE)
        return RowKernel(identity, self.backend, self.activation, RECOMPUTE.name, None)

    @cached_property
    def row_autograd(self) -> RowAutograd:
        """The framework's function and its gradient; `InputError` where it cannot be executed here."""
        self.require_supported()
        return self.backend.row_autograd(self.activation.name, self.dtype)

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
        return tuple(
            self.inputs[0] if saved.name == self.inputs[0].name else self._saved(saved.name, per_row=saved.per_row)
            for saved in self.row_autograd.saved
        )

    @cached_property
    def reads(self) -> tuple[Operand, ...]:
        """The arrays that a call reads, or from which what it reads is made."""
        return (*self.inputs, self._of_activation(DY))

    @cached_property
    def writes(self) -> tuple[Operand, ...]:
        """The arrays that a call returns."""
        return (self._of_activation(Operand("y")), RESULT) if self.op is Op.STEP else (RESULT,)

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
    def row_bytes(self) -> RowBytes:
        """Bytes a row of what is one number a row; a gradient needs the target, which is no residual here."""
        kept = [operand for operand in (*self.residuals, *self.inputs[1:]) if operand.per_row]
        alive = [operand for operand in kept if operand.name in ALIVE]
        moved = [*kept, *(operand for operand in self._beside if operand.per_row)]
        return RowBytes(*(sum(operand.dtype(self.dtype).itemsize for operand in some) for some in (kept, alive, moved)))

    @cached_property
    def _beside(self) -> tuple[Operand, ...]:
        """What a call reads and writes beside what is kept."""
        dy = self._of_activation(DY)
        return (*self.inputs, dy, *self.writes) if self.op is Op.STEP else (dy, RESULT)

    def release(self, output: Any) -> Array:
        """Return an output as a numpy array of one dimension, without its graph."""
        released: Array = self.backend.release(self.row_autograd.detached(output))
        return released.reshape(-1)

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a case of `size` elements, on operands in memory, in its rows."""
        del size
        in_rows = partial(self.backend.in_rows, rows=memory.rows)
        operands = [in_rows(memory.operand(self.backend, operand)) for operand in self.reads]
        arguments = self.row_autograd.arguments(self.op, operands)
        return Invocation(self._bound.function, arguments, release=self.release)

    @cached_property
    def _bound(self) -> Bound:
        return Bound(self.row_autograd.function(self.op))

    def _bytes(self, *operands: Operand) -> int:
        return sum(operand.dtype(self.dtype).itemsize for operand in operands if not operand.per_row)

    def _of_activation(self, operand: Operand) -> Operand:
        """Return an operand that is one number a row where the activation has it so."""
        return operand._replace(per_row=operand.name in rows.per_row(self.activation, ""))

    def _saved(self, name: str, *, per_row: bool) -> Operand:
        return Operand(name, SHIPPED.name, None, self.row_autograd, per_row)
