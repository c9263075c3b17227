"""Comparisons of several runs with the first, a column each, in the formats of ``actbench compare``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from actbench.analysis.between_runs import Between, Contrast, Trend
from actbench.report.compared_runs import BASES, ONE_HOST, TWO_HOSTS, facts, figure, name_of, ratio_of, sentence
from actbench.report.json_text import json_text
from actbench.report.numbers import AS_BOUNDS, NO_FIGURE, UNDECIDED
from actbench.report.table import Table, markdown, remarks_in_markdown
from actbench.runs.csv_text import csv_text

NOTE = (
    f"± is the longer side of the 95 % interval over rounds; {AS_BOUNDS}1. {UNDECIDED} marks an interval that includes "
    "1. Differences between whole runs, often a few percent, are not in the interval. The false discovery rate of the "
    f"findings in each column is 5 %. {NO_FIGURE} marks what a run does not have."
)

NAMED = {Trend.FASTER, Trend.SLOWER, Trend.LARGER, Trend.SMALLER}


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run in comparison with the first one."""

    label: str
    comparison: Between
    remarks: Sequence[str]


def tables(reference: str, runs: Sequence[ComparedRun]) -> list[Table]:
    """Return the times, and the speedups of runs on other hosts than the first."""
    hosts = {run.comparison.one_host for run in runs}
    times = _table(
        f"Times: {reference} / each run",
        "Times in copies in the first run, and how many times as long it takes as each other run, relative to the "
        f"yardstick: above 1 that run is faster. {ONE_HOST * (True in hosts)}{TWO_HOSTS * (False in hosts)}{NOTE}",
        reference,
        [(run.label, run.comparison.times) for run in runs],
    )
    elsewhere = [(run.label, run.comparison.speedups) for run in runs if run.comparison.speedups]
    if not elsewhere:
        return [times]
    speedups = _table(
        f"Speedups on other hosts: each run / {reference}",
        "Times faster than the reference strategy in the same block on the same backend in the first run, and how many "
        f"times as much it is in each other run: above 1 it is worth more there. {NOTE}",
        reference,
        elsewhere,
    )
    return [times, speedups]


def _table(title: str, note: str, reference: str, columns: Sequence[tuple[str, Sequence[Contrast]]]) -> Table:
    """Return one row for each case or group that the first run shares with another."""
    rows: dict[tuple[str, str], str] = {}
    cells: list[dict[tuple[str, str], str]] = []
    for _, contrasts in columns:
        by_name = {(name_of(contrast), contrast.figure): contrast for contrast in contrasts}
        for key, contrast in by_name.items():
            rows.setdefault(key, figure(contrast.baseline))
        cells.append({key: _cell(contrast) for key, contrast in by_name.items()})
    several = len({of for _, of in rows}) > 1
    return Table(
        title,
        note,
        ("case", *(("speedup",) if several else ()), reference, *(label for label, _ in columns)),
        tuple(
            (key[0], *((key[1],) if several else ()), shown, *(of_run.get(key, NO_FIGURE) for of_run in cells))
            for key, shown in rows.items()
        ),
        labels=1 + several,
    )


def _cell(contrast: Contrast) -> str:
    text = ratio_of(contrast.ratio)
    return f"{text} {contrast.finding}" if contrast.finding in NAMED else text


def lines(runs: Iterable[ComparedRun]) -> list[str]:
    """Return a sentence for each run, and its remarks."""
    return [f"{run.label}: {line}" for run in runs for line in (sentence(run.comparison), *run.remarks)]


def as_markdown(reference: str, runs: Sequence[ComparedRun]) -> str:
    """Return the tables, the sentences and the remarks in Markdown."""
    return "\n".join([*map(markdown, tables(reference, runs)), remarks_in_markdown(lines(runs))])


def as_csv(runs: Sequence[ComparedRun]) -> str:
    """Return one row per figure of each run but the first."""
    rows = [(run.label, row) for run in runs for row in facts(run.comparison)]
    return csv_text(["run", *rows[0][1]], [(label, *row.values()) for label, row in rows])


def as_json(reference: str, runs: Sequence[ComparedRun]) -> str:
    """Return a JSON object with the figures of each run but the first; missing values are null."""
    objects = [
        {
            "run": run.label,
            "basis": BASES[run.comparison.one_host],
            "remarks": run.remarks,
            "figures": facts(run.comparison),
        }
        for run in runs
    ]
    return json_text({"reference": reference, "runs": objects})
