"""The commit of a repository."""

from __future__ import annotations

from dataclasses import dataclass

SHORT = 12
"""Digits of a hash that people are shown."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, as recorded with what was measured in its repository. It names no path, author or branch."""

    hash: str
    """In full."""
    date: str
    """When it was committed: ISO 8601, with the offset from UTC."""
    dirty: bool = False
    """Whether tracked files differed from it."""

    @property
    def revision(self) -> str:
        """The full hash, marked where files differed from the commit."""
        return f"{self.hash} with changes" if self.dirty else self.hash

    @property
    def short(self) -> str:
        """The beginning of the hash, marked in the same way."""
        return f"{self.hash[:SHORT]} with changes" if self.dirty else self.hash[:SHORT]
