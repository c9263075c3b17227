"""Globs for names: ``numba*`` stands for every backend of such a name that can be used here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from actbench import registry
from actbench.errors import InputError
from actbench.model.names import Dtype, Op, OperandState, Storage
from actbench.model.variants import Variant
from actbench.planning import presets

NOUNS = {
    "activations": "activation",
    "backends": "backend",
    "strategies": "strategy",
    "residual_dtypes": "residual dtype",
    "ops": "op",
    "dtypes": "dtype",
    "operands": "state of operands",
}
"""What stands on an axis of a selection."""


def is_glob(name: str) -> bool:
    """Return whether a name stands for others: no name of a thing has these characters."""
    return any(character in name for character in "*?[")


def expand(names: Iterable[str], known: Iterable[str], what: str) -> tuple[str, ...]:
    """Return the names, with the known names that match in place of a glob; `InputError` for one that matches none."""
    known, expanded = [*known], list[str]()
    for name in names:
        matching = [one for one in known if fnmatchcase(one, name)] if is_glob(name) else [name]
        if not matching:
            raise InputError(f"no {what} matches '{name}': known are {', '.join(known)}")
        expanded += matching
    return tuple(dict.fromkeys(expanded))


def expand_variants(variants: Iterable[Variant], known: Iterable[str]) -> tuple[Variant, ...]:
    """Return strategies likewise; what a glob says of the type of residuals is said of every match."""
    known = [*known]
    return tuple(
        Variant(":".join([name, *([variant.storage] if variant.storage else [])]))
        for variant in variants
        for name in expand([variant.name], known, NOUNS["strategies"])
    )


def expand_backends(names: Iterable[str]) -> tuple[str, ...]:
    """Return backends, with those that can be used here in place of a glob.

    `InputError` where a glob matches none of these, with the reason where a backend of such a name is not available.
    """
    names, usable = [*names], registry.available_backends()
    for name in filter(is_glob, names):
        if not any(fnmatchcase(one, name) for one in usable):
            for absent in registry.backends():
                if fnmatchcase(absent, name):
                    registry.backend(absent)
    return expand(names, usable, NOUNS["backends"])


def expand_axes(axes: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return the names of each axis of a selection likewise; what frameworks ship only where one is among these."""
    expanded = {**axes}
    if any(map(is_glob, axes.get("backends", ()))):
        expanded["backends"] = expand_backends(axes["backends"])
    known: dict[str, Iterable[str]] = {
        "activations": registry.activations(),
        "residual_dtypes": Storage,
        "ops": Op,
        "dtypes": Dtype,
        "operands": OperandState,
    }
    for axis in known.keys() & axes.keys():
        expanded[axis] = expand(axes[axis], known[axis], NOUNS[axis])
    if any(map(is_glob, axes.get("strategies", ()))):
        strategies = tuple(map(Variant, registry.strategies()))
        kept = presets.with_shipped(strategies, expanded.get("backends", ()))
        expanded["strategies"] = expand_variants(axes["strategies"], kept)
    return expanded


def single(name: str, known: Iterable[str], what: str) -> str:
    """Return the one name that a glob matches, or the name itself; `InputError` where it matches several."""
    matching = expand([name], known, what)
    if len(matching) > 1:
        raise InputError(f"'{name}' matches {', '.join(matching)}: name one of them")
    return matching[0]
