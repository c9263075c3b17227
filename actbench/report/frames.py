"""The tables of a run as data frames, with the columns of its CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import pandas as pd

from actbench.analysis.accuracy import Surveyed
from actbench.model.times import Times
from actbench.report import accuracy, tables_csv
from actbench.report.results import RunResults
from actbench.report.training import files as of_training
from actbench.runs import values
from actbench.runs.record import Record

Frame = pd.DataFrame

TEXTS = frozenset(
    {
        *("activation", "strategy", "backend", "op", "dtype", "operands", "shape", "part", "of"),
        *(
            "reference_strategy",
            "reference_backend",
            "candidate_strategy",
            "candidate_backend",
            "zones",
            "kinks",
            "at_nan",
        ),
    }
)
"""Columns of text, where an empty cell is an empty text; in others it is a missing number."""


def cases(results: RunResults) -> Frame:
    """Return cases.csv."""
    return _frame(tables_csv.cases(results.figures))


def speedups(results: RunResults) -> Frame:
    """Return speedups.csv."""
    return _frame(tables_csv.speedups(results.speedups))


def parts(results: RunResults) -> Frame:
    """Return parts.csv; without rows where no training steps were measured."""
    return _frame(of_training.parts(results.training))


def timings(times: Times, record: Record) -> Frame:
    """Return values.csv."""
    text, _ = values.to_csv(times, times.planned, record.calibrations, values.rows())
    return _frame(text)


def accuracies(kernels: Sequence[Surveyed]) -> Frame:
    """Return what ``actbench accuracy --format csv`` prints."""
    return _frame(accuracy.as_csv(kernels))


def _frame(text: str) -> Frame:
    names = text.partition("\n")[0].split(",")
    missing = {name: [""] for name in names if name not in TEXTS}
    kinds = {name: str for name in names if name in TEXTS}
    return pd.read_csv(StringIO(text), dtype=kinds, keep_default_na=False, na_values=missing)
