"""Rewrite summary.md of the committed runs from their values: `python -m benchmarks.summaries`.

This is needed when the words of summaries change; a test of the documents compares them.
"""

from __future__ import annotations

from pathlib import Path

from actbench.report.publish import as_markdown
from actbench.report.results import analyse
from actbench.report.summary import summarise
from actbench.runs import archive, files
from actbench.runs.names import SUMMARY

RESULTS = Path(__file__).parents[1] / "results"

RUNS = ("cuda", "peers", "reference", "sweep", "train")
"""The committed runs, below `RESULTS`."""


def text(name: str) -> str:
    """Return the summary of a committed run, from its values."""
    run = archive.load_timed(RESULTS / name)
    assert run.record is not None
    return as_markdown(summarise(analyse(run.times, run.record), run.record), run.record)


def main() -> None:
    """Rewrite the summaries."""
    for name in RUNS:
        files.replace(RESULTS / name / SUMMARY, text(name))


if __name__ == "__main__":
    main()
