"""What numba compiles in other interpreters than this one, kept between checks: the least recently used goes.

An entry is a directory for one interpreter, named by the digest of its path. numba decides itself what in it is out of
date, by the files that the code is from, by its own version and by the processor.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from actbench.host import directories
from actbench.runs import files

MOST_ENTRIES = 16
"""Number of interpreters whose code is kept: that of a hundred kernels takes 10 MB."""


def entries() -> list[Path]:
    """Return all entries, the one that was used last first."""
    places = [path for path in _directory().glob("*") if path.is_dir()]
    return files.oldest_first(places)[::-1]


def entry_of(python: Path) -> Path | None:
    """Return the entry of an interpreter, which exists then; None where it cannot be written."""
    place = _directory() / directories.name_for(str(python))
    try:
        place.mkdir(parents=True, exist_ok=True)
        os.utime(place)
    except OSError:
        return None
    _remove(entries()[MOST_ENTRIES:])
    return place if os.access(place, os.W_OK) else None


def clear() -> tuple[list[Path], list[Path]]:
    """Remove all entries; return those that are gone, and those that the operating system does not let be removed.

    A check that uses one compiles again what it needs.
    """
    return _remove(entries())


def _remove(places: list[Path]) -> tuple[list[Path], list[Path]]:
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    left = [place for place in places if place.exists()]
    return [place for place in places if place not in left], left


def _directory() -> Path:
    return directories.cache() / "compiled"
