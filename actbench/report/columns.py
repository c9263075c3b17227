"""Which columns of a table a terminal has room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from actbench.model.names import sort_index
from actbench.report.table import Table

COLUMN_GAP = 3
"""Spaces between columns."""

LEAST_WORDS = 40
"""Least width of the column with long text."""


def keys(table: Table) -> list[int]:
    """Return the columns that identify rows, which every part of a table has."""
    return [*range(table.labels + (table.columns[table.labels : table.labels + 1] == ("n",)))]


def parts(table: Table, width: int) -> Iterator[list[int]]:
    """Yield the columns of each part of a table: those that identify rows, and as many others as there is room for."""
    first = keys(table)
    shown = [*first]
    for index in range(len(first), len(table.columns)):
        if len(shown) > len(first) and width_of(table, [*shown, index]) > width:
            yield shown
            shown = [*first]
        shown.append(index)
    yield shown


def fitting(table: Table, width: int, preferred: Sequence[str]) -> list[int]:
    """Return the columns that identify rows, at least one other, and as many as fit beside it, preferred ones first."""
    first = keys(table)
    shown = [*first]
    for index in sorted(range(len(first), len(table.columns)), key=lambda at: sort_index(table.columns[at], preferred)):
        if shown == first or width_of(table, [*shown, index]) <= width:
            shown.append(index)
    return sorted(shown)


def width_of(table: Table, columns: Sequence[int]) -> int:
    """Return the width on the terminal of these columns of the table."""
    return sum(needed(table, index) for index in columns) + COLUMN_GAP * (len(columns) - 1)


def needed(table: Table, index: int) -> int:
    """Return the least width of a column."""
    longest = max(cell_len(text) for text in (table.columns[index], *(row[index] for row in table.rows)))
    return min(longest, LEAST_WORDS) if index == table.wrapped else longest
