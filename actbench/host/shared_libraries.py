"""The user's own files that this process uses: shared libraries that it has opened, and modules that it has imported.

Libraries are those that Linux lists; on other systems none are known.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import ModuleType

MAPS = Path("/proc/self/maps")

OF_THE_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
"""Directories of libraries that come with the system: what others are linked with."""

PACKAGES = ("/site-packages/", "/dist-packages/")
"""Directories in which packages are installed."""


ACTBENCH = Path(__file__).resolve().parents[1]
"""The directory of actbench's own modules."""


def opened() -> frozenset[Path]:
    """Return the files of libraries in the memory of this process, without those of installed packages and the system.

    Files that no longer exist are not among them.
    """
    if not MAPS.is_file():
        return frozenset()
    lines = MAPS.read_bytes().decode(errors="replace").splitlines()
    mapped = (line.split(maxsplit=5) for line in lines if ".so" in line)
    files = {file[0] for _, permissions, _, _, _, *file in mapped if "x" in permissions and file}
    places = _places()
    libraries = (Path(file) for file in files if not _is_installed(file, places))
    return frozenset(path for path in libraries if ".so" in path.suffixes and path.is_file())


def own_modules() -> dict[str, Path]:
    """Return the files of Python modules in this process by their names.

    Those of installed packages, Python and actbench are not among them.
    """
    modules = {name: vars(module) for name, module in [*sys.modules.items()] if isinstance(module, ModuleType)}
    files = {name: module.get("__file__") for name, module in modules.items()}
    places = (*_places(), f"{ACTBENCH}/")
    return {
        name: Path(file)
        for name, file in files.items()
        if isinstance(file, str) and file.endswith(".py") and not _is_installed(file, places) and Path(file).is_file()
    }


def _places() -> tuple[str, ...]:
    """Return the directories of the system's libraries and of Python's, which `sysconfig` is slow to compute.

    They end with a slash, since a file in them begins so: a process has hundreds of files, for which paths are slow.
    """
    paths = sysconfig.get_paths()
    of_python = (paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return tuple(f"{place}/" for place in (*OF_THE_SYSTEM, *of_python, f"{sys.base_prefix}/lib"))


def _is_installed(file: str, places: tuple[str, ...]) -> bool:
    return file.startswith(places) or any(name in file for name in PACKAGES)
