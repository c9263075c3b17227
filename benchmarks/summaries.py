"""Rewrite summary.md and the tables of the committed runs from their values: `python -m benchmarks.summaries`.

This is needed when the words of summaries or the columns of tables change; a test of the documents compares summaries.
"""

from __future__ import annotations

from pathlib import Path

from actbench.report.publish import as_markdown, publish
from actbench.report.results import analyse
from actbench.report.summary import summarise
from actbench.runs import archive

RESULTS = Path(__file__).parents[1] / "results"

RUNS = ("cuda", "peers", "reference", "sweep", "train")
"""The committed runs, below `RESULTS`."""


def text(name: str) -> str:
    """Return the summary of a committed run, from its values."""
    run = archive.load_timed(RESULTS / name)
    assert run.record is not None
    return as_markdown(summarise(analyse(run.times, run.record), run.record, run.path), run.record)


def main() -> None:
    """Rewrite the summaries and tables."""
    for name in RUNS:
        run = archive.load_timed(RESULTS / name)
        assert run.record is not None
        publish(RESULTS / name, run.record, run.times)


if __name__ == "__main__":
    main()
