"""The columns that tell cases apart in CSV."""

from __future__ import annotations

from operator import attrgetter

COLUMNS = ("activation", "strategy", "backend", "op", "dtype", "size", "operands")

FIELDS = attrgetter(*COLUMNS)
"""The cells of a case in these columns."""
