"""The names of the files in a run's directory: those that hold measurements, and those that are made from them."""

from __future__ import annotations

RUN, VALUES, PROBES, SUITE = "run.json", "values.csv", "probes.csv", "pyperf.json"

MEASUREMENTS = (RUN, VALUES, PROBES, SUITE)
"""The files that change as one; where the first lies says which are the current ones."""

JOURNAL = "journal.jsonl"

CASES, SPEEDUPS, CROSSOVERS, SUMMARY = "cases.csv", "speedups.csv", "crossovers.csv", "summary.md"

TABLES = (CASES, SPEEDUPS, CROSSOVERS, SUMMARY)
"""What is made from the measurements after every round."""

REPORT = "report.html"
"""Files that are made from them on request."""

WRITTEN = (*MEASUREMENTS, JOURNAL, *TABLES)
"""What measuring writes into the directory."""
