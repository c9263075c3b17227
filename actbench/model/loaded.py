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
    """A user's own code, that activations, strategies or backends were taken from."""

    kind: LoadedFrom
    name: str
    """The file as it was named, or the distribution."""
    sha256: str
    """Of the file; of the modules of a package that were loaded, in the order of their names."""
    version: str | None = None
    """Of a distribution."""
