"""A commit, as bisecting names it."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.model.commit import SHORT


@dataclass(frozen=True, slots=True)
class BisectedCommit:
    """A commit of the project."""

    hash: str
    """In full."""
    tree: str
    """The hash of all its files: equal for commits with the same ones."""
    date: str
    """Day on which it was committed, as ``2026-01-31``."""
    subject: str
    parents: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The beginning of the hash, as it is shown."""
        return self.hash[:SHORT]
