"""A kernel of a row activation: it is called on rows by columns, and what it keeps may be one number a row."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from actbench.backends import Bound
from actbench.kernels import rows
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, RESULT, Array, Operand
from actbench.model.names import Op
from actbench.model.rule import Dialect, Rule


class RowKernel(Kernel):
    """What a case of a row activation executes; the last axis of its arrays are the rows of an `Operands`."""

    is_row = True

    @property
    def unsupported(self) -> str | None:
        """Why its backend cannot execute it, available or not; None where it can."""
        return rows.unsupported(self) or super().unsupported

    @cached_property
    def rule(self) -> Rule:
        """Its formulas over the namespace in which its backend reduces rows; `InputError` where it cannot."""
        self.require_supported()
        return self.formula(Dialect.ARRAY, self.backend.row_namespace())

    def bound_at(self, size: int) -> Bound:
        """Return the callable: a library that compiles for a shape does so in the first call, which is not timed."""
        del size
        return self.bound

    def forward_at(self, size: int) -> Bound:
        """Return the forward pass of a step; likewise."""
        del size
        return self._forward

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """What the forward pass takes."""
        return tuple(self._operand(Operand(name)) for name in self.formulas.inputs)

    @cached_property
    def residuals(self) -> tuple[Operand, ...]:
        """What the forward pass keeps."""
        names = self.formula(Dialect.ARRAY, None).residuals
        return tuple(self._operand(Operand.of(self.strategy, name)) for name in names)

    @cached_property
    def reads(self) -> tuple[Operand, ...]:
        """The arrays that a call reads."""
        upstream = self._operand(DY)
        return (*self.inputs, upstream) if self.op is Op.STEP else (upstream, *self.residuals)

    @cached_property
    def writes(self) -> tuple[Operand, ...]:
        """The arrays that a call writes: dz, or y, the residuals that are stored, and dz."""
        if self.op is not Op.STEP:
            return (RESULT,)
        return (self._operand(Operand("y")), *(operand for operand in self.residuals if operand.strategy), RESULT)

    @cached_property
    def takes_read_only(self) -> bool:
        """Whether it can be called on operands that it cannot write to."""
        return self.backend.protects and self.is_built_in

    def release(self, output: Any) -> Array:
        """Return an output as a numpy array of one dimension."""
        released: Array = self.backend.release(output)
        return released.reshape(-1)

    def shaped(self, array: Any, rows: int) -> Any:
        """Return an operand or output as rows by columns."""
        return self.backend.in_rows(array, rows)

    def _operand(self, operand: Operand) -> Operand:
        """Return an operand that is one number a row where the activation has it so."""
        return operand._replace(per_row=operand.name in rows.per_row(self.activation, self.strategy))
