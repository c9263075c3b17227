"""cases.csv and speedups.csv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import pandas as pd

from actbench.analysis.figures import Figures
from actbench.analysis.speedups import Speedup
from actbench.runs.files import FLOATS

SPEEDUP_COLUMNS = (
    *("activation", "op", "dtype", "size"),
    *("reference_strategy", "reference_backend", "candidate_strategy", "candidate_backend"),
    *("ratio", "low", "high", "rounds"),
)


def cases(found: Sequence[Figures]) -> str:
    """Return cases.csv: one row a case, its columns the measured fields of `Figures`."""
    return _csv(pd.DataFrame(found, columns=[field.name for field in fields(Figures)]).drop(columns="bound"))


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
    return _csv(pd.DataFrame(rows, columns=SPEEDUP_COLUMNS))


def _csv(frame: pd.DataFrame) -> str:
    return str(frame.to_csv(index=False, lineterminator="\n", float_format=FLOATS))
