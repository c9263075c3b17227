"""The rows of a run's tables, from these, or from its values where there is none.

Reading the values of a run takes fifty times as long as its tables. A run has none where it was killed before they were
written, or only its measurements were copied; runs of before cases.csv had times in copies lack these.
"""

from __future__ import annotations

import numpy as np

from actbench.analysis.crossovers import curves
from actbench.analysis.speedups import ratios
from actbench.analysis.speedups import speedups as all_speedups
from actbench.analysis.statistics import intervals_of_logs, medians
from actbench.model.times import Times
from actbench.model.training import FREE
from actbench.runs import archive, tables
from actbench.runs.digest import Digest
from actbench.runs.tables import CrossoverRow, CurveNames, SpeedupRow, TimeRow


def times(run: Digest) -> list[TimeRow]:
    """Return the rows of cases.csv, without yardsticks; `InputError` where they cannot be read."""
    rows = tables.times(run.path)
    return _times(_values(run)) if rows is None else rows


def speedups(run: Digest) -> list[SpeedupRow]:
    """Return the rows of speedups.csv; `InputError` where they cannot be read."""
    rows = tables.speedups(run.path)
    return _speedups(_values(run)) if rows is None else rows


def crossovers(run: Digest) -> list[CrossoverRow]:
    """Return the rows of crossovers.csv; `InputError` where they cannot be read."""
    rows = tables.crossovers(run.path)
    return _crossovers(_values(run)) if rows is None else rows


def _values(run: Digest) -> Times:
    return archive.load_timed(run.path).times


def _times(values: Times) -> list[TimeRow]:
    rows = []
    for block, of_block in ratios(values, values.blocks).items():
        copies = intervals_of_logs([-of_block.copies[: len(block.cases)]])
        seconds = intervals_of_logs([np.log(medians(values.seconds(block))).T])  # the yardsticks' last
        rounds = len(values.rounds(block))
        rows += [
            TimeRow(case, of_case, itself.value, rounds)
            for case, of_case, itself in zip(block.cases, copies, seconds, strict=False)
        ]
    return rows


def _speedups(values: Times) -> list[SpeedupRow]:
    pairs = all_speedups(ratios(values, values.blocks))
    return [SpeedupRow(pair.reference, pair.candidate, pair.ratio, pair.rounds) for pair in pairs]


def _crossovers(values: Times) -> list[CrossoverRow]:
    return [
        CrossoverRow(
            CurveNames(
                *(curve.activation, curve.op, curve.dtype, curve.operands, curve.backend),
                *(curve.reference, curve.candidate),
                rows=curve.rows,
            ),
            *(finding.kind, finding.size, finding.rounds, finding.below, finding.above),
        )
        for curve in curves(ratios(values, values.blocks))
        if FREE not in {curve.reference, curve.candidate}
        for finding in curve.findings
    ]
