"""The files of a run that are derived from its measurements: tables in CSV, and summary.md."""

from __future__ import annotations

from pathlib import Path

from actbench.model.times import Times
from actbench.report import host, tables_csv
from actbench.report.numbers import duration
from actbench.report.results import analyse
from actbench.report.summary import summarise
from actbench.report.table import Summary, markdown, remarks_in_markdown
from actbench.runs import files
from actbench.runs.names import SUMMARY
from actbench.runs.record import Record

DERIVATIVES = "derivatives by re-evaluating exponentials, or from cached activations"
STEPS = "what an activation's gradient is worth in a training step"
"""The headlines of summary.md."""


def publish(directory: Path, record: Record, times: Times) -> Summary:
    """Write the files, each in one move, and return the summary."""
    results = analyse(times, record)
    summary = summarise(results, record, directory)
    for name, text in tables_csv.contents(results).items():
        files.replace(directory / name, text)
    files.replace(directory / SUMMARY, as_markdown(summary, record))
    return summary


def as_markdown(summary: Summary, record: Record) -> str:
    """Return the contents of summary.md."""
    settings = record.settings
    method = (
        f"Preset {settings.preset}, engine {settings.engine}, {record.status} after {duration(record.seconds)}; "
        f"{_optimizer(record)}inputs from {record.plan.inputs}, seed {record.plan.seed}."
    )
    parts = [
        f"# actbench: {STEPS if record.plan.training else DERIVATIVES}",
        *summary.answers,
        *(markdown(table).rstrip() for table in summary.tables),
        remarks_in_markdown(summary.remarks).rstrip(),
        host.line(record.environment),
        method,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _optimizer(record: Record) -> str:
    """Return how parameters are updated in training steps."""
    return f"updates by {record.plan.training.optimizer}, " if record.plan.training else ""
