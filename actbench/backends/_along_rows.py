"""What a backend says of row activations, whose formulas reduce along the last axis."""

from __future__ import annotations

from typing import Any, ClassVar

from actbench.errors import InputError

LONG_ROW = 4096
"""Columns from which on the sum of a row is inexact where numbers are added one after the other."""


class AlongRows:
    """The part of a backend that concerns row activations; by default it executes none."""

    name: ClassVar[str]
    takes_rows: ClassVar[bool] = False
    """Whether it executes their formulas."""

    def row_namespace(self) -> Any:
        """Return the namespace of their formulas, with the reductions of a row."""
        raise InputError(f"backend '{self.name}' has no reductions of rows")

    def in_rows(self, array: Any, rows: int) -> Any:
        """Return an operand, which is flat, as rows by columns, in the same memory where it has memory."""
        return array.reshape(rows, -1)
