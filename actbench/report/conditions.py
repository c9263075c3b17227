"""Conditions of measurements, in words."""

from __future__ import annotations

from actbench.analysis.conditions import Conditions


def in_words(conditions: Conditions) -> str:
    """Return all conditions: ``engine interleaved; threads 1``."""
    return "; ".join(map(" ".join, conditions))


def with_distinction(name: str, distinction: str) -> str:
    """Return a name with what tells it from others that are alike, in parentheses, where there are such."""
    return f"{name} ({distinction})" if distinction else name
