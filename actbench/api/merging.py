"""Writing the runs of the shards of a plan as one run, with its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from actbench.report.publish import publish
from actbench.report.table import Summary
from actbench.runs.archive import load_timed
from actbench.runs.merging import merged
from actbench.runs.writer import create


def merge(paths: Sequence[Path], output: Path | None, *, allow_missing: bool) -> tuple[Path, Summary]:
    """Join the runs of shards into one in `output`, or under results/; return where it is, and its summary.

    `InputError` or `NotComparableError` where they do not belong together: nothing is written then.
    """
    record, times = merged([load_timed(path) for path in paths], allow_missing=allow_missing)
    status, seconds = record.status, record.seconds
    record.seconds = 0.0  # closing adds it
    with create(output, record) as writer:
        writer.times = times
        writer.close(status, seconds)
        summary = publish(writer.directory, writer.record, writer.times)
        remarks = (*summary.remarks, writer.unlinked) if writer.unlinked else summary.remarks
        return writer.directory, replace(summary, remarks=remarks)
