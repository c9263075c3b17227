"""What is lost with what is kept: a table from the CSV of `actbench accuracy`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from math import isnan
from pathlib import Path

from actbench.report.numbers import significant

CSV = Path(__file__).parents[2] / "results" / "reference" / "accuracy.csv"

BACKEND = "numba-simd"
DTYPES = ("float32", "float64")
HEAD = "float32: p99 | 1 % off from | 0 from | float64: p99 | 1 % off from | 0 from"
RULE = "---:|" * 6

POOR_ULP = 4.0
"""What recompute exceeds for one in a hundred z from N(0, 1), where it is reported."""

ALIKE = 1.1
"""Two tails are reported as one where they differ by less: a 1 % error is not at every z beyond the first."""

Rows = dict[str, dict[str, str]]
"""By dtype and part: of N(0, 1), and of whole tails."""


def lines() -> Iterator[str]:
    """Yield a table: a row a strategy.

    Those whose g' is a choice of constants are left out, and recompute, except where it is poor.
    """
    yield f"| activation | strategy | {HEAD} |"
    yield f"|---|---|{RULE}"
    for (activation, strategy), rows in surveyed().items():
        if not _is_exact(rows) and not (strategy == "recompute" and not _is_poor(rows)):
            yield f"| `{activation}` | {strategy} | {' | '.join(cells(rows))} |"


@cache
def surveyed() -> dict[tuple[str, str], Rows]:
    """Return what was surveyed, by activation and strategy."""
    tables: dict[tuple[str, str], Rows] = {}
    with CSV.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            whole = (float(row["low"]), float(row["high"])) == (0.0, float("inf"))
            if row["backend"] == BACKEND and whole:
                rows = tables.setdefault((row["activation"], row["strategy"]), {})
                rows.setdefault(f"{row['dtype']} {row['part']}", row)
    return tables


def cells(rows: Rows) -> list[str]:
    """Return the cells of a strategy, in the order of `HEAD`."""
    return [cell for dtype in DTYPES for cell in _cells(rows, dtype)]


def _is_exact(rows: Rows) -> bool:
    return all(float(row["max_ulp"]) < 1 for row in rows.values())


def _is_poor(rows: Rows) -> bool:
    return any(float(rows[f"{dtype} normal"]["p99_ulp"]) >= POOR_ULP for dtype in DTYPES)


def _cells(rows: Rows, dtype: str) -> Iterator[str]:
    yield significant(float(rows[f"{dtype} normal"]["p99_ulp"]), 2)
    for name in ("wrong_from", "zero_from"):
        ends = {part: rows[f"{dtype} {part}"][name] for part in ("left", "right")}
        left, right = (float(ends[part] or "nan") for part in ("left", "right"))
        if left < ALIKE * right < ALIKE**2 * left:  # never so where one is NaN
            yield f"±{significant(min(left, right), 3)}"
        else:
            yield " ".join(f"{sign}{significant(at, 3)}" for sign, at in (("-", left), ("", right)) if not isnan(at))
