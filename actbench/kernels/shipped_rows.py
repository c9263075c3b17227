"""A framework's own function along rows with its own gradient, as what a case executes: strategy ``shipped``."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from actbench.kernels import rows as of_rows
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operand
from actbench.kernels.row_kernel import RowKernel
from actbench.kernels.shipped_functions import ShippedFunctionKernel
from actbench.kernels.traffic import ALIVE
from actbench.model.row_bytes import RowBytes
from actbench.model.training import RECOMPUTE


class ShippedRowKernel(ShippedFunctionKernel):
    """What a case of a framework's own gradient along rows executes."""

    is_row = True
    described = "along rows"

    @property
    def unsupported(self) -> str | None:
        """Why its backend has no such function, available or not; None where it has."""
        return of_rows.unsupported(self) or super().unsupported

    @property
    def outline(self) -> Kernel:
        """Strategy ``recompute``, which keeps z: what a framework keeps is read from it, and about as much as that."""
        identity = replace(self.identity, strategy=RECOMPUTE)
        return RowKernel(identity, self.backend, self.activation, RECOMPUTE.name, None)

    @cached_property
    def row_bytes(self) -> RowBytes:
        """Bytes a row of what is one number a row; a gradient needs the target, which is no residual here."""
        kept = [operand for operand in (*self.residuals, *self.inputs[1:]) if operand.per_row]
        alive = [operand for operand in kept if operand.name in ALIVE]
        moved = [*kept, *(operand for operand in self._beside if operand.per_row)]
        return RowBytes(*(sum(operand.dtype(self.dtype).itemsize for operand in some) for some in (kept, alive, moved)))

    def shaped(self, array: Any, rows: int) -> Any:
        """Return an operand as rows by columns."""
        return self.backend.in_rows(array, rows)

    def _of_activation(self, operand: Operand) -> Operand:
        """Return an operand that is one number a row where the activation has it so."""
        return operand._replace(per_row=operand.name in of_rows.per_row(self.activation, ""))
