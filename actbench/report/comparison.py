"""Comparisons within a run, in the formats of ``actbench compare``."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from actbench.analysis.comparison import Comparison
from actbench.report.json_text import json_text
from actbench.report.numbers import UNDECIDED, ratio, significant
from actbench.report.table import Table, markdown


def table(found: Sequence[Comparison], axis: str) -> Table:
    """Return one row a comparison."""
    rows = tuple(
        (
            *(item.activation, item.op, item.group, f"{item.candidate} / {item.reference}"),
            ratio(item.ratio, item.low, item.high),
            f"{significant(item.least, 3)} to {significant(item.most, 3)}",
            *(str(item.cases), str(item.rounds)),
        )
        for item in found
    )
    return Table(
        f"By {axis}",
        f"Times faster than the reference per element: geometric mean over the cases, with the longer side of its 95 % "
        f"interval over rounds; {UNDECIDED} where that holds 1.",
        ("activation", "op", "with", axis, "ratio", "range", "cases", "rounds"),
        rows,
        labels=4,
    )


def as_markdown(found: Sequence[Comparison], axis: str) -> str:
    """Return the table in Markdown."""
    return markdown(table(found, axis))


def as_csv(found: Sequence[Comparison]) -> str:
    """Return full precision, one row a comparison."""
    return str(pd.DataFrame(found).to_csv(index=False, lineterminator="\n"))


def as_json(found: Sequence[Comparison]) -> str:
    """Return a JSON array of objects; bounds that do not exist are null."""
    return json_text(found)
