"""A user's own code, as a run records it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LoadedFrom(StrEnum):
    """Where a user's own code comes from."""

    FILE = "file"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A user's own code, from which activations, strategies, networks or backends were loaded."""

    kind: LoadedFrom
    name: str
    """The file name as the user wrote it, or the distribution."""
    sha256: str
    """Digest of the file; for a package, of its loaded modules in the order of their names."""
    version: str | None = None
    """Version of the distribution."""
