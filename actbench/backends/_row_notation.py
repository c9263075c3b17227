"""How a backend writes what loops over rows are made of (`actbench.backends._row_loops`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class StoredLines:
    """How results are stored by whole lines of a cache, which are computed aside."""

    fits: str
    """Whether that is possible."""
    first: Sequence[str]
    """What the function begins with."""
    place: str
    """Where an element is computed."""
    whole: str
    """What stores the lines."""


@dataclass(frozen=True)
class RowNotation:
    """How a backend writes what loops are made of."""

    element: str
    """An element of an array of rows by columns."""
    start: Mapping[str, Sequence[str]]
    """What precedes the loop of a reduction, by its name."""
    block: Mapping[str, Sequence[str]]
    """What precedes a block of columns; where there is none, columns are not in blocks."""
    reduce: Mapping[str, str]
    """What adds an element to a reduction."""
    after_block: Mapping[str, Sequence[str]]
    end: Mapping[str, Sequence[str]]
    """What follows the loop, and names the number of the row."""
    first: Sequence[str] = ()
    """What the function begins with, where {nbytes} is the size of all arrays."""
    names_numbers: bool = True
    """Whether numbers have names, by which they get a type; otherwise they are literals."""
    call: str = "{function}"
    """A function of the namespace."""
    ask: str = ""
    """What asks the memory for a block of a row of an array; nothing does where it is empty."""
    ask_lines: str = ""
    """Likewise, for as many columns as are stored at once."""
    row: str = ""
    """What the loop over a row begins with that has results of one number an element, the last of which is named."""
    kept: str = ""
    """An element of what a pass keeps for a later one; where it is empty, it is in the row of the result."""
    stored: StoredLines | None = None
    last: Sequence[str] = ()
    """What the function ends with."""
    where: str = ""
    """Where arrays of {nbytes} together are large."""
    large: RowNotation | None = None
    """How loops over such arrays are written, if their results can be stored so."""
