"""The environment variables that workers inherit, and that the user's code sees in every process."""

from __future__ import annotations

from collections.abc import Mapping

INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "XDG_CACHE_HOME"),
    "CXX",
)
"""Variables without which a worker may not start."""

TUNING = (
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMBA_", "NPY_", "MALLOC_", "GLIBC_TUNABLES"),
    *("CUDA_", "DNNL_", "JAX_", "NUMEXPR_", "ONEDNN_", "TORCH", "XLA_"),
)
"""Prefixes of variables that change what is measured: workers inherit them, and runs record them."""


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a worker: those it needs to start, and those that tune libraries."""
    return {name: environ[name] for name in INHERITED if name in environ} | tuning(environ)


def tuning(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the tuning variables, sorted by name."""
    return {name: value for name, value in sorted(environ.items()) if name.startswith(TUNING)}
