"""What curves of crossovers.csv do over the sizes."""

from __future__ import annotations

from enum import StrEnum


class CurveEvent(StrEnum):
    """The behaviour of a curve over the sizes."""

    CROSSES = "crosses"
    """One strategy is faster below, the other one above."""
    FADES = "fades"
    """Towards one end the difference vanishes: the sizes there are all equal."""
    UNDECIDED = "undecided"
    """Towards one end, or at all sizes, no winner is decided."""
    NONE = "none"
    """The same strategy is faster at both ends; or, without a name, all sizes are equal."""
