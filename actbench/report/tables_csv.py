"""cases.csv, speedups.csv, crossovers.csv, and the files that only training steps have."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from actbench.analysis.crossovers import Curve
from actbench.analysis.figures import Figures
from actbench.analysis.speedups import Speedup
from actbench.report import case_columns
from actbench.report.results import RunResults
from actbench.report.training import files as of_training
from actbench.runs.csv_text import csv_text
from actbench.runs.names import CASES, CROSSOVERS, SPEEDUPS
from actbench.runs.tables import COPIES

SHARED_FIELDS = attrgetter("activation", "op", "dtype", "size", "operands", "shape", "rows")

CASE_COLUMNS = (
    *(*case_columns.COLUMNS, "shape", "rows"),
    *("seconds", "low", "high", "rounds", "loops", "ns_per_element", "gb_per_s"),
    *("copy_limit_pct", "copy_limit_low_pct", "copy_limit_high_pct", "copy_limit_of"),
    *COPIES,
    *("residual_bytes_per_element", "max_ulp", "processor_pct"),
)

SPEEDUP_COLUMNS = (
    *("activation", "op", "dtype", "size", "operands", "shape", "rows"),
    *("reference_strategy", "reference_backend", "candidate_strategy", "candidate_backend"),
    *("ratio", "low", "high", "rounds"),
)

CROSSOVER_COLUMNS = (
    *("activation", "op", "dtype", "operands", "rows", "backend", "reference_strategy", "candidate_strategy"),
    *("kind", "size", "low", "high", "faster_below", "faster_above"),
    *("sizes", "decided", "rounds"),
)


def contents(results: RunResults) -> dict[str, str]:
    """Return the contents of each file by name; crossovers.csv only with enough sizes."""
    files = {CASES: cases(results.figures), SPEEDUPS: speedups(results.speedups)}
    files |= {CROSSOVERS: crossovers(results.curves)} if results.curves else {}
    return files | (of_training.contents(results.training, results.worths) if results.training else {})


def cases(figures: Sequence[Figures]) -> str:
    """Return cases.csv, one row per case."""
    rows = (
        (
            *(*case_columns.FIELDS(row.case), row.case.shape, row.case.rows),
            *(*row.seconds, row.rounds, row.loops, row.ns_per_element.value, row.gb_per_s),
            *(*row.copy_limit_pct, row.copy_limit_of, *row.copies, _kept(row), row.max_ulp, row.processor_pct),
        )
        for row in figures
    )
    return csv_text(CASE_COLUMNS, rows)


def _kept(row: Figures) -> float | None:
    """Return the bytes kept per element; None of a training step, whose bytes are in memory.csv."""
    return None if row.case.op.network else row.residual_bytes


def speedups(pairs: Sequence[Speedup]) -> str:
    """Return speedups.csv, one row per pair; ratio is reference seconds over candidate seconds."""
    rows = [
        (
            *SHARED_FIELDS(pair.candidate),
            *(pair.reference.strategy, pair.reference.backend, pair.candidate.strategy, pair.candidate.backend),
            *(*pair.ratio, pair.rounds),
        )
        for pair in pairs
    ]
    return csv_text(SPEEDUP_COLUMNS, rows)


def crossovers(curves: Sequence[Curve]) -> str:
    """Return crossovers.csv, one row per finding: sizes in elements, and the rounds that it rests on."""
    rows = [
        (
            *(curve.activation, curve.op, curve.dtype, curve.operands, curve.rows),
            *(curve.backend, curve.reference, curve.candidate),
            *(finding.kind, *finding.size, finding.below, finding.above),
            *(len(curve.points), curve.decided, finding.rounds),
        )
        for curve in curves
        for finding in curve.findings
    ]
    return csv_text(CROSSOVER_COLUMNS, rows)
