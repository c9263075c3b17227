"""How a formula is executed over an array: one small file a backend, found by discovery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from typing import Any

from actbench.backends._backend import Backend, Bound, Device, source
from actbench.backends._listing import sources
from actbench.backends._narrowing import narrowed, numpy_dtype
from actbench.backends._rewriting import helpers
from actbench.errors import LOADED, InputError, unknown

__all__ = [
    "Backend",
    "Bound",
    "Device",
    "catalogue",
    "get",
    "helpers",
    "libraries",
    "narrowed",
    "numpy_dtype",
    "on_devices",
    "source",
    "sources",
    "threaded",
    "usable",
    "with_own_copy",
]


@cache
def catalogue() -> dict[str, Backend]:
    """Return every backend by name, available or not, in order of rank."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    named = (kind for kind in _descendants(Backend) if "name" in vars(kind))  # others are what several have in common
    found = (kind() for kind in named if not isabstract(kind))
    backends = sorted(found, key=lambda backend: backend.rank)
    return {backend.name: backend for backend in backends}


def get(name: str) -> Backend:
    """Return the backend of that name; `InputError` when it is unknown or cannot be used here, with the reason."""
    backend = catalogue().get(name)
    if backend is None:
        raise unknown("backend", name, catalogue(), LOADED)
    if backend.unavailable:
        raise InputError(f"backend '{name}' is not available: {backend.unavailable}")
    return backend


def libraries(names: Iterable[str]) -> tuple[str, ...]:
    """Name the distributions whose versions are recorded where these backends are used; unknown backends have none."""
    return tuple(dict.fromkeys(library for backend in _known(names) for library in backend.libraries))


def threaded(names: Iterable[str]) -> tuple[str, ...]:
    """Name those of these backends whose calls are executed by several threads."""
    return tuple(backend.name for backend in _known(names) if backend.threaded)


def on_devices(names: Iterable[str]) -> tuple[str, ...]:
    """Name those of these backends whose operands lie in another device's memory."""
    return tuple(backend.name for backend in _known(names) if backend.on_device)


def with_own_copy(names: Iterable[str]) -> tuple[str, ...]:
    """Name those of these backends that are held against a copy of their own."""
    return tuple(backend.name for backend in _known(names) if backend.has_own_copy)


def _known(names: Iterable[str]) -> Iterator[Backend]:
    """Yield these backends, once each, without those that are not known."""
    return (catalogue()[name] for name in dict.fromkeys(names) if name in catalogue())


def _descendants(kind: Any) -> Iterator[type[Backend]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _descendants(subclass)


def usable() -> tuple[str, ...]:
    """Return the names of the backends that can be used here."""
    return tuple(name for name, backend in catalogue().items() if not backend.unavailable)
