"""Put the table of what is lost into README.md, between its two marks, from the CSV of `actbench accuracy`.

python -m benchmarks.accuracy_table [results/reference/accuracy.csv]
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from math import isnan
from pathlib import Path

from actbench.report.numbers import significant

README = Path(__file__).parents[1] / "README.md"

BEGIN = "<!-- begin: python -m benchmarks.accuracy_table -->\n"
END = "<!-- end: accuracy -->\n"

BACKEND = "numba-simd"
DTYPES = ("float32", "float64")
HEAD = (
    "| activation | strategy | float32: p99 | 1 % off from | 0 from | float64: p99 | 1 % off from | 0 from |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|"
)

POOR_ULP = 4.0
"""What recompute exceeds for one in a hundred z from N(0, 1), where it is reported."""

ALIKE = 1.1
"""Two tails are reported as one where they differ by less: a 1 % error is not at every z beyond the first."""

Rows = dict[str, dict[str, str]]
"""By dtype and part: of N(0, 1), and of whole tails."""


def lines(path: Path) -> Iterator[str]:
    """Yield a row a strategy, of the activations whose g' is not a choice of constants; recompute where it is poor."""
    tables: dict[tuple[str, str], Rows] = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            whole = (float(row["low"]), float(row["high"])) == (0.0, float("inf"))
            if row["backend"] == BACKEND and whole:
                rows = tables.setdefault((row["activation"], row["strategy"]), {})
                rows.setdefault(f"{row['dtype']} {row['part']}", row)
    for (activation, strategy), rows in tables.items():
        if all(float(row["max_ulp"]) < 1 for row in rows.values()):
            continue
        if strategy == "recompute" and all(float(rows[f"{dtype} normal"]["p99_ulp"]) < POOR_ULP for dtype in DTYPES):
            continue
        cells = [cell for dtype in DTYPES for cell in _cells(rows, dtype)]
        yield f"| `{activation}` | {strategy} | {' | '.join(cells)} |"


def _cells(rows: Rows, dtype: str) -> Iterator[str]:
    yield significant(float(rows[f"{dtype} normal"]["p99_ulp"]), 2)
    for name in ("wrong_from", "zero_from"):
        ends = {part: rows[f"{dtype} {part}"][name] for part in ("left", "right")}
        left, right = (float(ends[part] or "nan") for part in ("left", "right"))
        if left < ALIKE * right < ALIKE**2 * left:  # never so where one is NaN
            yield f"±{significant(min(left, right), 3)}"
        else:
            yield " ".join(f"{sign}{significant(at, 3)}" for sign, at in (("-", left), ("", right)) if not isnan(at))


def main() -> None:
    """Rewrite README.md."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "results/reference/accuracy.csv")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "".join(f"{line}\n" for line in (HEAD, *lines(path)))
    README.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
