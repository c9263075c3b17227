"""A user's own code, as a run records it."""

from __future__ import annotations

from collections.abc import Iterable
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

    @property
    def digest(self) -> str:
        """The beginning of the digest, as it is shown."""
        return f"sha256 {self.sha256[:12]}"


def changes_of_code(before: Iterable[Loaded], after: Iterable[Loaded]) -> list[tuple[str, str, str]]:
    """Return the code that differs, by name: what it was before, and what it is after."""
    old, new = ({code.name: code for code in codes} for codes in (before, after))
    names = [name for name in {**old, **new} if not _alike(old.get(name), new.get(name))]
    return [(name, _shown(old.get(name)), _shown(new.get(name))) for name in names]


def _alike(one: Loaded | None, other: Loaded | None) -> bool:
    return one is not None and other is not None and one.sha256 == other.sha256


def _shown(code: Loaded | None) -> str:
    if code is None:
        return "not loaded"
    return f"version {code.version}, {code.digest}" if code.version else code.digest
