"""cases.csv, speedups.csv and crossovers.csv."""

from __future__ import annotations

from collections.abc import Sequence

from actbench.analysis.crossovers import Curve
from actbench.analysis.figures import Figures
from actbench.analysis.speedups import Speedup
from actbench.report.measured import Measured
from actbench.runs.csv_text import csv_text
from actbench.runs.names import CASES, CROSSOVERS, SPEEDUPS

SPEEDUP_COLUMNS = (
    *("activation", "op", "dtype", "size"),
    *("reference_strategy", "reference_backend", "candidate_strategy", "candidate_backend"),
    *("ratio", "low", "high", "rounds"),
)

CROSSOVER_COLUMNS = (
    *("activation", "op", "dtype", "backend", "reference_strategy", "candidate_strategy"),
    *("kind", "size", "low", "high", "faster_below", "faster_above"),
    *("sizes", "decided", "rounds"),
)


def every(found: Measured) -> dict[str, str]:
    """Return the contents of each file by name; crossovers.csv where there are enough sizes."""
    files = {CASES: cases(found.figures), SPEEDUPS: speedups(found.speedups)}
    return files | ({CROSSOVERS: crossovers(found.curves)} if found.curves else {})


def cases(found: Sequence[Figures]) -> str:
    """Return cases.csv: one row a case, its columns the fields of `Figures` but for the last two."""
    return csv_text(Figures._fields[:-2], (each[:-2] for each in found))


def speedups(found: Sequence[Speedup]) -> str:
    """Return speedups.csv: one row a pair; ratio is reference seconds over candidate seconds."""
    rows = [
        (
            *(item.candidate.activation, item.candidate.op, item.candidate.dtype, item.candidate.size),
            *(item.reference.strategy, item.reference.backend, item.candidate.strategy, item.candidate.backend),
            *(item.ratio, item.low, item.high, item.rounds),
        )
        for item in found
    ]
    return csv_text(SPEEDUP_COLUMNS, rows)


def crossovers(found: Sequence[Curve]) -> str:
    """Return crossovers.csv: one row a finding; sizes in elements, rounds those of the size with the fewest."""
    rows = [
        (
            *(curve.activation, curve.op, curve.dtype, curve.backend, curve.reference, curve.candidate),
            *(each.kind, each.size, each.low, each.high, each.below, each.above),
            *(len(curve.points), curve.decided, min(point.rounds for point in curve.points)),
        )
        for curve in found
        for each in curve.findings
    ]
    return csv_text(CROSSOVER_COLUMNS, rows)
