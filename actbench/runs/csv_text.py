"""Rows as CSV. Every round writes all of them anew, by the standard library: a data frame takes three times as long."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice

FLOATS = "%.9g"
"""How numbers are written: to a nanosecond in a second."""

AT_ONCE = 1000
"""Rows."""


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a header and rows; NaN is an empty cell. A column that has floats has no words."""
    return _line(columns) + rows_text(rows)


def rows_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows without a header."""
    text, rest = io.StringIO(), iter(rows)
    writer = csv.writer(text, lineterminator="\n")
    while several := [*islice(rest, AT_ONCE)]:
        writer.writerows(zip(*map(_cells, zip(*several, strict=True)), strict=True))
    return text.getvalue()


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _cells(column: Sequence[object]) -> Sequence[object]:
    """Return a column as it is written: floats all at once, which makes the whole a quarter faster."""
    if not any(issubclass(kind, float) for kind in {*map(type, column)}):
        return column
    texts = (" ".join([FLOATS] * len(column)) % tuple(column)).split(" ")
    return ["" if text == "nan" else text for text in texts]
