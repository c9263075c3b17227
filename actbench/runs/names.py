"""The names of the files in a run's directory: measurements, and files derived from them."""

from __future__ import annotations

RUN, VALUES, PROBES, SUITE = "run.json", "values.csv", "probes.csv", "pyperf.json"

MEASUREMENTS = (RUN, VALUES, PROBES, SUITE)
"""The files that change as one; the position of the first decides which files are current."""

JOURNAL = "journal.jsonl"

CASES, SPEEDUPS, CROSSOVERS, SUMMARY = "cases.csv", "speedups.csv", "crossovers.csv", "summary.md"

PARTS, GAINS, MEMORY, SWEEP = "parts.csv", "gains.csv", "memory.csv", "sweep.csv"
"""Of training steps alone."""

TABLES = (CASES, SPEEDUPS, CROSSOVERS, PARTS, GAINS, MEMORY, SWEEP, SUMMARY)
"""The files that are derived from the measurements while rounds go on, and at the end."""

REPORT = "report.html"
"""The file that is derived from them on request."""

DERIVED = (*TABLES, REPORT)
"""All files that can be made again from the measurements."""

LOADED_SOURCE = "loaded.py"
"""What was declared in Python, where it was not in a file of the user's."""

WRITTEN = (*MEASUREMENTS, JOURNAL, *TABLES)
"""The files that measuring writes into the directory."""

FLEET_PLAN, FLEET_LIMITS = "plan.json", "limits.json"
"""The files in the directory of a fleet, in which the run of a host has a directory."""
