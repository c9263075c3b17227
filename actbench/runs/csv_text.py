"""Rows as CSV. Every round writes all of them anew, by the standard library: a data frame takes three times as long."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from math import isnan

FLOATS = "%.9g"
"""How numbers are written: to a nanosecond in a second."""


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a header and rows; NaN is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(
        [("" if isnan(cell) else FLOATS % cell) if isinstance(cell, float) else cell for cell in row] for row in rows
    )
    return text.getvalue()
