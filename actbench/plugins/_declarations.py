"""The declarations of a user's file or package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import isabstract, isclass
from typing import Any

from actbench import registry
from actbench.backends import Backend
from actbench.errors import InputError
from actbench.formula import Activation, Extension
from actbench.model.loaded import Loaded
from actbench.model.networks import NetworkKind
from actbench.model.user_kernels import KernelDeclaration
from actbench.plugins._duplicates import refuse_lost
from actbench.plugins._guard import Code


@dataclass(frozen=True, slots=True)
class Declarations:
    """What a file or a package declares."""

    loaded: Loaded
    files: tuple[str, ...]
    """The files of its code, whose lines are named in messages."""
    activations: tuple[Activation, ...]
    extensions: tuple[Extension, ...]
    kernels: tuple[KernelDeclaration, ...]
    networks: tuple[NetworkKind, ...]
    backends: tuple[type[Backend], ...]

    @property
    def code(self) -> Code:
        """The code, for the guard that runs it."""
        return Code(self.loaded.name, self.files)


def declared(loaded: Loaded, files: Iterable[str], namespaces: Iterable[tuple[str, Mapping[str, Any]]]) -> Declarations:
    """Return what modules declare, from their names and variables; imports from elsewhere do not count.

    `InputError` where a backend is abstract, or a second declaration of the same name replaces a first one.
    """
    files, namespaces = tuple(files), tuple(namespaces)
    refuse_lost(loaded.name, files, {name: value for _, names in namespaces for name, value in names.items()})
    known = {
        *map(id, registry.activations().values()),
        *map(id, registry.networks().values()),
        *(id(type(backend)) for backend in registry.backends().values()),
    }
    values: dict[int, Any] = {}
    for module, names in namespaces:
        for value in names.values():
            imported = isclass(value) and value.__module__ != module
            if id(value) not in known and not imported:
                values[id(value)] = value
    kinds = [value for value in values.values() if isclass(value) and issubclass(value, Backend)]
    complete = [kind for kind in kinds if not isabstract(kind)]
    for kind in kinds:
        if isabstract(kind) and not any(issubclass(other, kind) for other in complete):
            missing = ", ".join(sorted(kind.__abstractmethods__))
            raise InputError(f"--load {loaded.name}: backend class {kind.__name__} is not complete: define {missing}")
    return Declarations(
        loaded,
        files,
        tuple(value for value in values.values() if isinstance(value, Activation)),
        tuple(value for value in values.values() if isinstance(value, Extension)),
        tuple(value for value in values.values() if isinstance(value, KernelDeclaration)),
        tuple(value for value in values.values() if isinstance(value, NetworkKind)),
        tuple(complete),
    )
