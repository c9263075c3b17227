"""The user's own code on its way to the hosts of a fleet: files travel whole with their digest, packages by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actbench import plugins
from actbench.api import sent_files
from actbench.errors import InputError, NotComparableError
from actbench.model.loaded import Loaded, LoadedFrom

PLACE = "loaded"
"""The directory of a fleet that has the files of its code."""


@dataclass(frozen=True, slots=True)
class SentCode:
    """A file, or the name of a package that a host must have."""

    name: str
    """Of the file, without directories, or of the distribution."""
    sha256: str
    data: bytes | None
    """The file; None of a package."""

    def written(self, directory: Path) -> str | None:
        """Write the file into a new directory, and return its path; None of a package."""
        if self.data is None:
            return None
        directory.mkdir()
        path = directory / Path(self.name).name
        path.write_bytes(self.data)
        return str(path)


def loaded_here() -> tuple[SentCode, ...]:
    """Return what is loaded here, to be sent; `InputError` for what cannot travel."""
    return tuple(_sent(code) for code in plugins.loaded())


def _sent(code: Loaded) -> SentCode:
    if code.kind is LoadedFrom.PACKAGE:
        return SentCode(code.name, code.sha256, None)
    libraries = [Path(one.path).name for one in code.libraries if not one.path.endswith(".py")]
    if libraries:
        raise InputError(
            f"--load {code.name}: it opens {libraries[0]}, which is not sent to hosts: write a package that builds it "
            "and install that there, or measure shards there (actbench run --plan)"
        )
    data = sent_files.read_unchanged(Path(code.name), code.sha256, f"--load {code.name}")
    return SentCode(Path(code.name).name, code.sha256, data)


def keep(directory: Path, code: tuple[SentCode, ...]) -> None:
    """Write the files into the directory of a fleet, by digest, so that it can go on without them."""
    for one in code:
        if one.data is not None:
            sent_files.keep(directory, PLACE, one.sha256, one.data)


def kept(directory: Path, needed: tuple[Loaded, ...]) -> tuple[SentCode, ...]:
    """Return the code of a fleet that goes on.

    `InputError` where a file of it is missing or was changed, `NotComparableError` where other code is loaded here.
    """
    digests = {code.sha256 for code in needed}
    if other := [code.name for code in plugins.loaded() if code.sha256 not in digests]:
        raise NotComparableError(
            f"--resume {directory}: {other[0]} is not the code that the fleet has: leave --load out, or start a new one"
        )
    return tuple(_kept(directory, code) for code in needed)


def _kept(directory: Path, code: Loaded) -> SentCode:
    if code.kind is LoadedFrom.PACKAGE:
        return SentCode(code.name, code.sha256, None)
    name = Path(code.name).name
    return SentCode(name, code.sha256, sent_files.kept(directory, PLACE, code.sha256, name))
