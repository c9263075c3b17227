"""How a formula is executed over an array: one small file a backend, found by discovery."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from actbench.backends._backend import Backend, Bound, Compiled, source
from actbench.errors import InputError, unknown

__all__ = ["Backend", "Bound", "Compiled", "catalogue", "get", "source"]


@cache
def catalogue() -> dict[str, Backend]:
    """Return every backend by name, available or not, in order of rank."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    backends = sorted((subclass() for subclass in Backend.__subclasses__()), key=lambda backend: backend.rank)
    return {backend.name: backend for backend in backends}


def get(name: str) -> Backend:
    """Return the backend of that name; `InputError` when it is unknown or cannot be used here, with the reason."""
    backend = catalogue().get(name)
    if backend is None:
        raise unknown("backend", name, catalogue())
    if backend.unavailable:
        raise InputError(f"backend '{name}' is not available: {backend.unavailable}")
    return backend
