"""What a backend says of row activations, whose formulas reduce along the last axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from actbench.errors import InputError
from actbench.model.names import Dtype

if TYPE_CHECKING:
    from actbench.backends._row_autograd import RowAutograd


class AlongRows:
    """The part of a backend that concerns row activations; by default it executes none."""

    name: ClassVar[str]
    takes_rows: ClassVar[bool] = False
    """Whether it executes their formulas."""

    def row_namespace(self) -> Any:
        """Return the namespace of their formulas, with the reductions of a row."""
        raise InputError(f"backend '{self.name}' has no reductions of rows")

    def row_autograd(self, activation: str, dtype: Dtype) -> RowAutograd:
        """Return the library's own function along rows and its gradient; `InputError` where it has none."""
        del dtype
        raise InputError(f"{self.name} has no {activation} of its own")

    def in_rows(self, array: Any, rows: int) -> Any:
        """Return an operand, which is flat, as rows by columns, in the same memory where it has memory."""
        return array.reshape(rows, -1)
