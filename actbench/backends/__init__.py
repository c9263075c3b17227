"""Backends: how a formula is executed over an array. Each is one small file, found by discovery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from actbench.backends._autograd import Autograd
from actbench.backends._backend import Backend, Bound, Device, source
from actbench.backends._function_autograd import FunctionAutograd
from actbench.backends._listing import sources
from actbench.backends._narrowing import narrowed
from actbench.backends._training import Passes, StepArrays, StepSpec, TrainingStep

__all__ = [
    "Autograd",
    "Backend",
    "Bound",
    "Device",
    "FunctionAutograd",
    "Passes",
    "StepArrays",
    "StepSpec",
    "TrainingStep",
    "built_in",
    "libraries",
    "namespace",
    "narrowed",
    "source",
    "sources",
]


@cache
def built_in() -> Mapping[str, Backend]:
    """Return actbench's own backends by name, in order of rank, including those that cannot be used here."""
    for module in iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    named = (kind for kind in _descendants(Backend) if "name" in vars(kind))  # a class without a name is a common base
    ours = (kind for kind in named if kind.__module__.startswith(f"{__name__}."))  # without those of a user's file
    backends = sorted((kind() for kind in ours if not isabstract(kind)), key=lambda backend: backend.rank)
    return MappingProxyType({backend.name: backend for backend in backends})


def namespace(name: str) -> Any:
    """Return the namespace ``m`` of a built-in backend."""
    return built_in()[name].namespace()


def libraries(backends: Iterable[Backend]) -> tuple[str, ...]:
    """Return the distributions whose versions a run with these backends records."""
    return tuple(dict.fromkeys(library for backend in backends for library in backend.libraries))


def _descendants(kind: Any) -> Iterator[type[Backend]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _descendants(subclass)
