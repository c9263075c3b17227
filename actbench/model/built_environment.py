"""What an environment that was built for a revision consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """An environment of a revision. Times of day are in UTC."""

    commit: str
    """Full hash of the commit of the project."""
    project: str
    """Name of the project's directory."""
    python: str
    distributions: dict[str, str]
    """The versions that were resolved, by name."""
    built: str
    seconds: float
    """Duration of building it."""
    bytes: int
