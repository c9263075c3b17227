"""The summary of a run of training steps: answers, tables and remarks."""

from __future__ import annotations

from pathlib import Path

from actbench.report.answers import more_rounds
from actbench.report.results import RunResults
from actbench.report.table import Summary, each_note_once
from actbench.report.training import sweep
from actbench.report.training.answers import answers
from actbench.report.training.remarks import remarks
from actbench.report.training.tables import tables
from actbench.runs.record import Record


def summarise(results: RunResults, record: Record, directory: Path) -> Summary:
    """Return the summary of the results of a run in a directory."""
    shown = [*tables(results.training)]
    if results.worths:
        shown.append(sweep.table(results.worths))
    return Summary(
        answers=(
            *answers(results.training, more_rounds(directory, record.plan.command)),
            *sweep.sentences(results.worths),
        ),
        tables=tuple(each_note_once(shown)),
        remarks=tuple(remarks(results, record, directory)),
    )
