"""parts.csv, gains.csv, memory.csv and sweep.csv."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from actbench.analysis.crossovers import ONE_FASTER
from actbench.analysis.training import ArmResult
from actbench.analysis.training_sweep import Worth
from actbench.report import case_columns
from actbench.runs.csv_text import csv_text
from actbench.runs.names import GAINS, MEMORY, PARTS, SWEEP

PART_COLUMNS = (*case_columns.COLUMNS, "part", "seconds", "low", "high", "share")

GAIN_COLUMNS = (
    *(*case_columns.COLUMNS, "reference_strategy", "gain", "low", "high"),
    *("predictor_operands", "predicted", "predicted_low", "predicted_high"),
    *("difference", "difference_low", "difference_high", "rounds"),
    *("elsewhere", "elsewhere_low", "elsewhere_high"),
    *("remaining", "remaining_low", "remaining_high"),
)

MEMORY_COLUMNS = (
    *(*case_columns.COLUMNS, "kept_bytes", "alive_bytes", "predicted_kept_bytes", "predicted_alive_bytes"),
    *("peak_bytes", "gradient_error", "worst_gradient"),
)

SWEEP_COLUMNS = (
    *("along", "activation", "network", "batch", "dtype", "backend", "strategy"),
    *("kind", "size", "low", "high", "saves_below", "saves_above"),
    *("sizes", "decided", "rounds"),
)

UNKNOWN = [nan] * 3
"""The figures of an interval that is not known."""


def contents(results: Sequence[ArmResult], worths: Sequence[Worth]) -> dict[str, str]:
    """Return the contents of each file by name; sweep.csv only with enough batches or widths."""
    files = {PARTS: parts(results), GAINS: gains(results), MEMORY: memory(results)}
    return files | ({SWEEP: sweep(worths)} if worths else {})


def parts(results: Sequence[ArmResult]) -> str:
    """Return parts.csv, one row per part of an arm's instrumented step; the shares of an arm add up to 1."""
    rows = (
        (*case_columns.FIELDS(row.case), part.part, *part.seconds, part.share.value)
        for row in results
        for part in row.parts
    )
    return csv_text(PART_COLUMNS, rows)


def gains(results: Sequence[ArmResult]) -> str:
    """Return gains.csv, one row per arm and predictor, or one without a prediction where there is none.

    Gains, differences and what is saved elsewhere are shares of the reference's timed step. `rounds` is the number of
    those that the prediction and its difference are of; without a prediction, of those that the gain is of.
    """
    rows: list[tuple[object, ...]] = []
    for row in results:
        if row.gain is not None:
            measured = (*case_columns.FIELDS(row.case), row.reference, *row.gain)
            elsewhere = row.elsewhere or UNKNOWN
            rows += [
                (*measured, state, *one.gain, *one.difference, one.rounds, *elsewhere, *one.remaining)
                for state, one in row.predictions.items()
            ] or [(*measured, "", *UNKNOWN, *UNKNOWN, row.rounds, *elsewhere, *UNKNOWN)]
    return csv_text(GAIN_COLUMNS, rows)


def memory(results: Sequence[ArmResult]) -> str:
    """Return memory.csv, one row per arm that was checked, in bytes; unknown figures are empty."""
    rows = (
        (
            *(
                *case_columns.FIELDS(row.case),
                check.kept,
                check.alive,
                check.predicted_kept,
                check.predicted_alive,
                check.peak,
            ),
            *(nan if check.error is None else check.error, check.worst),
        )
        for row, check in ((row, row.check) for row in results)
        if check
    )
    return csv_text(MEMORY_COLUMNS, rows)


def sweep(worths: Sequence[Worth]) -> str:
    """Return sweep.csv, one row per finding: where an arm saves more, and where less, than 1 % of a step."""
    rows = [
        (
            *(worth.along, worth.activation, worth.network, worth.batch or "", worth.dtype, worth.backend),
            *(worth.candidate, finding.kind, *finding.size, finding.below, finding.above),
            len(worth.points),
            sum(point.winner in ONE_FASTER for point in worth.points),
            finding.rounds,
        )
        for worth in worths
        for finding in worth.findings
    ]
    return csv_text(SWEEP_COLUMNS, rows)
