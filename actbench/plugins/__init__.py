"""A user's own activations, strategies and backends, written as the built-in ones are.

They are taken from a file, or from an installed package that offers them through entry points, and only when asked
for by name: nothing is loaded from the current directory, from settings, or because it is installed. Once loaded they
are in the same catalogues as everything built in, so that nothing else has to know of them. Workers are told to load
the same, and a run records what it was.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from actbench import activations, backends
from actbench.errors import InputError
from actbench.formula import Activation, Extension
from actbench.model.loaded import Loaded, LoadedFrom
from actbench.model.strategies import STRATEGIES
from actbench.plugins import _files, _packages, _refusals
from actbench.plugins._definitions import steady
from actbench.plugins._found import Found
from actbench.plugins._guard import allow, blamed, evaluating, forget_code, guarded, has_run, know
from actbench.plugins._packages import Offer, offers
from actbench.plugins._room import with_room
from actbench.plugins.by_name import forget

__all__ = [
    "Offer",
    "additions",
    "allow",
    "blamed",
    "evaluating",
    "guarded",
    "has_run",
    "load",
    "loaded",
    "offers",
    "unload",
    "with_room",
]

_LOADED: list[Loaded] = []

_ADDED: dict[str, list[str]] = {"activations": [], "strategies": [], "backends": []}
"""By axis, the names that what is loaded declares something of."""

_BEFORE: list[tuple[dict[str, Any], dict[str, Any]]] = []
"""The catalogues, and what was in each before anything was loaded."""


def load(name: str, sha256: str | None = None) -> Loaded:
    """Take what a file or an installed package declares into the catalogues; `InputError` says why it cannot be.

    With `sha256`, it must be the very same code.
    """
    catalogues: list[dict[str, Any]] = [activations.catalogue(), backends.catalogue(), STRATEGIES]
    if not _BEFORE:
        _BEFORE.extend((each, dict(each)) for each in catalogues)
    found = _files.read(name) if _files.is_file(name) else _packages.read(name)
    if sha256 not in {None, found.loaded.sha256}:
        raise InputError(f"--load {name}: it is not what it was when this began: start again")
    if any(each.name == found.loaded.name and each.kind is found.loaded.kind for each in _LOADED):
        return found.loaded
    if not (found.activations or found.extensions or found.backends):
        nothing = "no @activation, no @strategy and no Backend"
        raise InputError(f"--load {name}: it declares {nothing}: 'actbench init' writes a file that does")
    _add(found)
    know(found.code)
    _LOADED.append(found.loaded)
    forget()
    return found.loaded


def loaded() -> tuple[Loaded, ...]:
    """Return what this process has loaded, in order."""
    return tuple(_LOADED)


def additions() -> Mapping[str, Iterable[str]]:
    """Return by axis the names that what is loaded declares: a strategy's own, and that of its activation."""
    return {axis: tuple(dict.fromkeys(names)) for axis, names in _ADDED.items()}


def unload() -> None:
    """Leave nothing behind of what was loaded."""
    for catalogue, before in _BEFORE:
        catalogue.clear()
        catalogue.update(before)
    _BEFORE.clear()
    _LOADED.clear()
    forget_code()
    for names in _ADDED.values():
        names.clear()
    for name in [name for name in sys.modules if name.startswith(_files.PREFIX)]:
        del sys.modules[name]
    forget()


def _add(found: Found) -> None:
    for activation in found.activations:
        _add_activation(found, activation)
    for extension in found.extensions:
        _add_strategy(found, extension)
    for kind in found.backends:
        backend = _refusals.usable_backend(found, kind)
        _refusals.refuse_clash(found, "backend", backend.name, backends.catalogue())
        ranked = sorted([*backends.catalogue().values(), backend], key=lambda each: each.rank)
        backends.catalogue().clear()
        backends.catalogue().update({each.name: each for each in ranked})
        _ADDED["backends"].append(backend.name)


def _add_activation(found: Found, activation: Activation) -> None:
    _refusals.refuse_clash(found, "activation", activation.name, activations.catalogue())
    _refusals.refuse_unusable(found, activation)
    activations.catalogue()[activation.name] = steady(activation, found.loaded.name)
    _ADDED["activations"].append(activation.name)
    for name in activation.strategies:
        _name_strategy(found, name, f"a strategy of {activation.name}, from {_source(found.loaded)}")


def _add_strategy(found: Found, extension: Extension) -> None:
    known = activations.catalogue()
    where = f"strategy '{extension.name}'"
    if extension.activation not in known:
        raise _refusals.unknown_activation(found, extension, known)
    activation = known[extension.activation]
    _refusals.refuse_clash(found, f"strategy of {activation.name}", extension.name, activation.strategies)
    extended = activation.with_strategy(extension)
    _refusals.refuse_unusable(found, extended, extension.name, where)
    known[activation.name] = extended
    _ADDED["activations"].append(activation.name)
    _name_strategy(found, extension.name, extension.summary)


def _name_strategy(found: Found, name: str, summary: str) -> None:
    if name not in STRATEGIES:
        _refusals.refuse_clash(found, "strategy", name, {})
        STRATEGIES[name] = summary
    _ADDED["strategies"].append(name)


def _source(of: Loaded) -> str:
    return of.name if of.kind is LoadedFrom.FILE else f"package {of.name}"
