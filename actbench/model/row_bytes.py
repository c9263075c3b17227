"""Bytes of what is one number a row, beside those of what is one number an element."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowBytes:
    """Bytes a row of what a kernel has one number a row of, by definition."""

    kept: int = 0
    """From the forward to the backward pass."""
    alive: int = 0
    """Of these, the bytes that a network holds whatever the strategy."""
    moved: int = 0
    """That a call reads and writes, every pass over them counted once."""


def an_element(of_element: int, of_row: int, size: int, rows: int) -> float:
    """Return bytes per element, of so many elements in so many rows; a whole number is an int."""
    whole, rest = divmod(of_row * rows, size)
    return of_element + (of_row * rows / size if rest else whole)
