"""What a namespace of the user's declares."""

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
from actbench.plugins._guard import Code
from actbench.plugins._twice import refuse_lost


@dataclass(frozen=True, slots=True)
class Found:
    """What a file or a package declares."""

    loaded: Loaded
    files: tuple[str, ...]
    """Where its code lies, to name lines of it."""
    activations: tuple[Activation, ...]
    extensions: tuple[Extension, ...]
    backends: tuple[type[Backend], ...]

    @property
    def code(self) -> Code:
        """What is guarded when it runs."""
        return Code(self.loaded.name, self.files)


def declared(loaded: Loaded, files: Iterable[str], namespaces: Iterable[tuple[str, Mapping[str, Any]]]) -> Found:
    """Gather what modules declare, each given by its name; what they only import from elsewhere does not count.

    `InputError` where a backend is not complete, or a declaration is lost to another of the same name.
    """
    files, namespaces = tuple(files), tuple(namespaces)
    refuse_lost(loaded.name, files, {name: value for _, names in namespaces for name, value in names.items()})
    known = [
        *map(id, registry.activations().values()),
        *(id(type(each)) for each in registry.backends().values()),
    ]
    own: dict[int, Any] = {}
    for module, names in namespaces:
        for value in names.values():
            elsewhere = isclass(value) and value.__module__ != module
            if id(value) not in known and not elsewhere:
                own[id(value)] = value
    kinds = [value for value in own.values() if isclass(value) and issubclass(value, Backend)]
    complete = [kind for kind in kinds if not isabstract(kind)]
    for kind in kinds:
        if isabstract(kind) and not any(issubclass(each, kind) for each in complete):
            lacking = ", ".join(sorted(kind.__abstractmethods__))
            raise InputError(f"--load {loaded.name}: backend class {kind.__name__} is not complete: define {lacking}")
    return Found(
        loaded,
        files,
        tuple(value for value in own.values() if isinstance(value, Activation)),
        tuple(value for value in own.values() if isinstance(value, Extension)),
        tuple(complete),
    )
