"""A user's own code, as a run records it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from actbench.errors import printable


class LoadedFrom(StrEnum):
    """Where a user's own code comes from."""

    FILE = "file"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A library of machine code that a user's file opens, or a module that it imports, of no installed package."""

    path: str
    sha256: str

    def __post_init__(self) -> None:
        """Let the path be one that may be recorded and shown."""
        object.__setattr__(self, "path", printable(self.path))


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
    libraries: tuple[UsedFile, ...] = ()
    """What a file opens and imports when it is loaded."""

    @property
    def digest(self) -> str:
        """The beginning of the digest, as it is shown."""
        return _digest(self.sha256)

    @property
    def identity(self) -> str:
        """Its name and digest, with those of the libraries that it opens and of the modules that it imports."""
        opened = (f"{PurePath(one.path).name} {_digest(one.sha256)}" for one in self.libraries)
        return ", ".join([f"{self.name} {self.digest}", *opened])


def changes_of_code(before: Iterable[Loaded], after: Iterable[Loaded]) -> list[tuple[str, str, str]]:
    """Return the code that differs, by name: what it was before, and what it is after."""
    old, new = ({code.name: code for code in codes} for codes in (before, after))
    names = [name for name in {**old, **new} if not _alike(old.get(name), new.get(name))]
    changed = [(name, _shown(old.get(name)), _shown(new.get(name))) for name in names]
    return [*changed, *_changes_of_libraries(old, new)]


def changed_below(before: Iterable[Loaded], after: Iterable[Loaded]) -> list[tuple[str, str, str]]:
    """Return the libraries and modules that differ, of files that are the same, whatever their names are now."""
    old, new = ({code.sha256: code for code in codes} for codes in (before, after))
    return _changes_of_libraries(old, new)


def shared_by_both(before: Iterable[Loaded], after: Iterable[Loaded]) -> list[tuple[str, str, str]]:
    """Return the libraries that both open at the same place: the code that opens them, their paths and digests."""
    there = {library for code in before for library in code.libraries}
    return [
        (code.name, library.path, _digest(library.sha256))
        for code in after
        for library in code.libraries
        if library in there
    ]


def _changes_of_libraries(old: Mapping[str, Loaded], new: Mapping[str, Loaded]) -> list[tuple[str, str, str]]:
    """Return the libraries that differ, by the names of their files, of code that is loaded before and after.

    Several files may have one name, as packages have it of their `__init__.py`: those that are alike are left out, and
    the others are set against each other in the order of their paths.
    """
    changes = []
    for name in sorted(old.keys() & new.keys()):
        before, after = (_digests_by_name(code[name].libraries) for code in (old, new))
        for file in sorted(before.keys() & after.keys()):
            gone, come = _without(before[file], after[file]), _without(after[file], before[file])
            label = f"{file} of {new[name].name}"
            changes += [(label, _digest(was), _digest(now)) for was, now in zip(gone, come, strict=False)]
    return changes


def _digests_by_name(libraries: Iterable[UsedFile]) -> dict[str, list[str]]:
    """Return the digests of the files of every name, in the order of their paths."""
    digests: dict[str, list[str]] = {}
    for one in sorted(libraries, key=lambda library: library.path):
        digests.setdefault(PurePath(one.path).name, []).append(one.sha256)
    return digests


def _without(digests: Iterable[str], common: Iterable[str]) -> list[str]:
    """Return the digests without those in common, as often as they are there."""
    left = list(digests)
    for digest in common:
        if digest in left:
            left.remove(digest)
    return left


def _digest(sha256: str) -> str:
    return f"sha256 {sha256[:12]}"


def _alike(one: Loaded | None, other: Loaded | None) -> bool:
    return one is not None and other is not None and one.sha256 == other.sha256


def _shown(code: Loaded | None) -> str:
    if code is None:
        return "not loaded"
    return f"version {code.version}, {code.digest}" if code.version else code.digest
