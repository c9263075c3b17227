"""Networks: what a training step is made of, one small file each, found by discovery."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from actbench.model.networks import NetworkKind

ORDER = ("dense", "mlp", "ffn", "glu-ffn")
"""The order of lists: from the smallest."""


@cache
def built_in() -> Mapping[str, NetworkKind]:
    """Return actbench's own networks by name, from the smallest."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    kinds = [value for module in modules for value in vars(module).values() if isinstance(value, NetworkKind)]
    return MappingProxyType({kind.name: kind for kind in sorted(kinds, key=lambda kind: ORDER.index(kind.name))})
