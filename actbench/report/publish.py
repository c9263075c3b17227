"""The files of a run that are made from its measurements: tables in CSV, and summary.md."""

from __future__ import annotations

from pathlib import Path

from actbench.analysis.crossovers import curves
from actbench.analysis.figures import figures
from actbench.analysis.ladder import steps
from actbench.analysis.speedups import speedups
from actbench.report import host, tables_csv
from actbench.report.numbers import duration
from actbench.report.summary import Summary, summarise
from actbench.report.table import markdown
from actbench.runs import files
from actbench.runs.record import Record
from actbench.runs.times import Times


def publish(directory: Path, record: Record, times: Times) -> Summary:
    """Write the files, each in one move, and return the summary."""
    of_cases = list(figures(times, record.calibrations, record.checks))
    of_pairs = [found for block in times.blocks for found in speedups(times, block)]
    of_rungs = [found for block in times.blocks for found in steps(times, block)]
    of_sizes = list(curves(times))
    summary = summarise(of_cases, of_pairs, of_rungs, of_sizes, record)
    files.write(directory / "cases.csv", tables_csv.cases(of_cases))
    files.write(directory / "speedups.csv", tables_csv.speedups(of_pairs))
    if of_sizes:
        files.write(directory / "crossovers.csv", tables_csv.crossovers(of_sizes))
    files.write(directory / "summary.md", _markdown(summary, record))
    return summary


def _markdown(summary: Summary, record: Record) -> str:
    settings = record.settings
    method = (
        f"Preset {settings.preset}, engine {settings.engine}, {record.status} after {duration(record.seconds)}; "
        f"inputs from {record.plan.distribution}, seed {record.plan.seed}."
    )
    parts = [
        "# actbench: derivatives by re-evaluating exponentials, or from cached activations",
        *summary.answers,
        *(markdown(table).rstrip() for table in summary.tables),
        "\n".join(f"- {remark.replace('<', '&lt;')}" for remark in summary.remarks),
        host.line(record.environment),
        method,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
