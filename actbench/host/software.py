"""The versions of Python, actbench and libraries in this process."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from actbench import __version__

KERNEL_LIBRARIES = ("numpy", "scipy", "ml_dtypes", "numba", "llvmlite")
"""The distributions that kernels use."""

FOR_FORMULAS = ("scipy", "ml_dtypes")
"""Those that formulas with erf and bfloat16 need, in whatever backend."""

OWN_LIBRARIES = (*FOR_FORMULAS, "numba", "llvmlite")
"""Those that a measured environment may lack: only some kernels need them, while actbench itself needs all."""

LIBRARIES = (*KERNEL_LIBRARIES, "pyperf", "mpmath")
"""The distributions that every run records; those of optional backends come in addition."""


def python() -> str:
    """Return ``CPython 3.13.1``."""
    return f"{platform.python_implementation()} {platform.python_version()}"


@cache
def blas() -> str:
    """Return the name and version of the library that numpy multiplies matrices by: ``scipy-openblas 0.3.31``."""
    import numpy as np  # what only shows versions need not wait for it

    with suppress(KeyError, TypeError):  # numpy's configuration has no fixed form
        show_config: Any = np.show_config  # whose types differ from version to version
        configuration = show_config("dicts")
        built = configuration["Build Dependencies"]["blas"]
        return f"{built['name']} {built['version']}"
    return ""


def libraries(names: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """Return the versions of the distributions that are installed, by name."""
    return {name: release for name in names if (release := _version(name))}


def versions(further: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the versions of Python, actbench, the kernels' distributions and further ones."""
    return {"python": python(), "actbench": __version__} | libraries((*KERNEL_LIBRARIES, *further))


@cache
def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
