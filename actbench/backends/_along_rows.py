"""What a backend says of row activations, whose formulas reduce along the last axis."""

from __future__ import annotations

from typing import Any, ClassVar

from actbench.errors import InputError
from actbench.model.checks import STATED_ULP

LONG_ROW = 4096
"""Columns from which on the sum of a row is inexact where numbers are added one after the other."""


def added_in_turn(columns: int, at_once: int = 1) -> float:
    """Return the factor of errors, as `Flaw.AMPLIFIES` takes it, where numbers of a row are added in turn; 0 of few.

    Each of n additions is off by at most half a unit in the last place of the sum of the sizes of all numbers, so that
    the two sums of a gradient are off by n units: N. J. Higham, "The Accuracy of Floating Point Summation", 1993.
    `at_once` numbers are added to as many sums at a time.
    """
    return columns / at_once / STATED_ULP if columns >= LONG_ROW else 0.0


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
