"""The shared libraries that this process has opened, as Linux lists them; none are known on other systems."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

MAPS = Path("/proc/self/maps")

OF_THE_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
"""Directories of libraries that come with the system: what others are linked with."""

PACKAGES = frozenset({"site-packages", "dist-packages"})
"""Names of directories in which packages are installed."""


def opened() -> frozenset[Path]:
    """Return the files of libraries in the memory of this process, without those of installed packages and the system.

    Files that no longer exist are not among them.
    """
    if not MAPS.is_file():
        return frozenset()
    lines = (line.split(maxsplit=5) for line in MAPS.read_text(encoding="utf-8", errors="replace").splitlines())
    files = {Path(file[0]) for _, permissions, _, _, _, *file in lines if "x" in permissions and file}
    places = _places()
    libraries = (path for path in files if ".so" in path.suffixes and not _is_installed(path, places))
    return frozenset(path for path in libraries if path.is_file())


def _places() -> tuple[str, ...]:
    """Return the directories of the system's libraries and of Python's, which `sysconfig` is slow to compute."""
    paths = sysconfig.get_paths()
    of_python = (paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return (*OF_THE_SYSTEM, *of_python, f"{sys.base_prefix}/lib")


def _is_installed(path: Path, places: tuple[str, ...]) -> bool:
    return bool(PACKAGES & {*path.parts}) or any(path.is_relative_to(place) for place in places)
