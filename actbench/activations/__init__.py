"""What is differentiated: one small file each, found by discovery."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from actbench.errors import unknown
from actbench.formula import Activation


@cache
def catalogue() -> dict[str, Activation]:
    """Return every activation by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Activation))
    return {activation.name: activation for activation in found}


def get(name: str) -> Activation:
    """Return the activation of that name; `InputError` with the nearest name when there is none."""
    try:
        return catalogue()[name]
    except KeyError:
        raise unknown("activation", name, catalogue()) from None
