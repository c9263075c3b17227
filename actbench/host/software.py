"""Which versions a process runs on: what one compares when an environment changes."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from actbench import __version__

KERNEL_LIBRARIES = ("numpy", "scipy", "ml_dtypes", "numba", "llvmlite")
"""What kernels are made of."""

LIBRARIES = (*KERNEL_LIBRARIES, "pyperf", "mpmath")
"""What is recorded with every run; optional backends add their own where they are used."""


def python() -> str:
    """Return ``CPython 3.13.1``."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def libraries(names: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """Return the versions of the distributions that are installed, by name."""
    return {name: found for name in names if (found := _version(name))}


def versions(further: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the versions of all that kernels are made of, and of further distributions."""
    return {"python": python(), "actbench": __version__} | libraries((*KERNEL_LIBRARIES, *further))


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
