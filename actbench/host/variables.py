"""The environment variables that workers get, and that the user's own code therefore sees wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping

NEEDED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "XDG_CACHE_HOME"),
    "CXX",
)
"""Variables without which a worker may not even start."""

TUNING = (
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMBA_", "NPY_", "MALLOC_", "GLIBC_TUNABLES"),
    *("CUDA_", "JAX_", "NUMEXPR_", "TORCH", "XLA_"),
)
"""Prefixes of variables that change what is measured: handed to the workers, and recorded."""


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables a worker gets: what it needs to start, and what tunes the libraries."""
    return {name: environ[name] for name in NEEDED if name in environ} | tuning(environ)


def tuning(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that change what is measured."""
    return {name: value for name, value in sorted(environ.items()) if name.startswith(TUNING)}
