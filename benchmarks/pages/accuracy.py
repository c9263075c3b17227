"""What is lost with what is kept: a table from the CSV of `actbench accuracy`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from math import isinf
from pathlib import Path

from actbench.report.numbers import significant

CSV = Path(__file__).parents[2] / "results" / "reference" / "accuracy.csv"

BACKEND = "numba-simd"
DTYPES = ("float32", "float64")
HEAD = "float32: p99 | 1 % off for z | 0 for z | float64: p99 | 1 % off for z | 0 for z"
RULE = "---:|" * 6

POOR_ULP = 4.0
"""What recompute exceeds for one in a hundred z from N(0, 1), where it is reported."""

ALIKE = 1.1
"""Ends on both sides are reported as one where they differ by less: a 1 % error is not at every z of a zone."""

NEXT_TO_0 = 1e-37
"""Zones on both sides that begin below it are one, around 0: the smallest normal numbers are the first that count."""

ZONE = re.compile(r"(?P<kind>wrong|zero) (?P<first>\S+) to (?P<last>[^\s;]+)")
"""Of the column `zones`: a kind and the first and last of its magnitudes of z."""

Zone = tuple[float, float]

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
    for kind in ("wrong", "zero"):
        left, right = (magnitudes(rows[f"{dtype} {part}"]["zones"], kind) for part in ("left", "right"))
        yield ", ".join(zones(left, right))


def magnitudes(column: str, kind: str) -> list[Zone]:
    """Return the zones of one kind of a cell of `zones`: the first and last of their magnitudes of z."""
    return [(float(match["first"]), float(match["last"])) for match in ZONE.finditer(column) if match["kind"] == kind]


def zones(left: list[Zone], right: list[Zone]) -> Iterator[str]:
    """Yield zones of z in words, those of both sides as one where they are alike or meet at 0."""
    if left and right and max(left[0][0], right[0][0]) < NEXT_TO_0:
        yield f"-{significant(left[0][1], 3)} to {significant(right[0][1], 3)}"
        left, right = left[1:], right[1:]
    if len(left) == len(right) and all(_are_alike(*ends) for ends in zip(left, right, strict=True)):
        hulls = [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(left, right, strict=True)]
        yield from (_zone(hull, "±", "beyond") for hull in hulls)
        return
    yield from (_zone(zone, "-", "below") for zone in reversed(left))
    yield from (_zone(zone, "", "above") for zone in right)


def _are_alike(left: Zone, right: Zone) -> bool:
    """Tell whether the ends of two zones differ by little."""
    return all(a == b or a < ALIKE * b < ALIKE**2 * a for a, b in zip(left, right, strict=True))


def _zone(zone: Zone, sign: str, open_ended: str) -> str:
    first, last = (f"{sign}{significant(end, 3)}" for end in zone)
    if isinf(zone[1]):
        return f"{open_ended} {first}"
    if first == last:
        return first
    return f"{last} to {first}" if sign == "-" else f"{first} to {last}"
