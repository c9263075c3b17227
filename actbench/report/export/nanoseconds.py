"""Times in nanoseconds, the unit of most tools."""

from __future__ import annotations

from actbench.runs.csv_text import FLOATS

PER_SECOND = 1e9


def nanoseconds(seconds: float) -> float:
    """Return nanoseconds in as many digits as the CSV files have."""
    return float(FLOATS % (PER_SECOND * seconds))
