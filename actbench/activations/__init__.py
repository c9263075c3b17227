"""Activations: one small file each, found by discovery."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from actbench.errors import LOADED, InputError, unknown
from actbench.formula import Activation

OTHER_NAMES = {
    "sigmoid": "logistic",
    "expit": "logistic",
    "swish": "silu",
    "swish-1": "silu",
    "hardswish": "hard-swish",
    "hardsigmoid": "hard-sigmoid",
    "hardtanh": "hard-tanh",
    "leaky_relu": "leaky-relu",
    "leakyrelu": "leaky-relu",
    "lrelu": "leaky-relu",
    "logsigmoid": "log-sigmoid",
    "log_sigmoid": "log-sigmoid",
    "gelu_tanh": "gelu-tanh",
    "gelu-new": "gelu-tanh",
    "atan": "arctan",
    "linear": "identity",
}
"""Other names of activations, as people and libraries use them."""


@cache
def built_in() -> Mapping[str, Activation]:
    """Return actbench's own activations by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    activations = (value for module in modules for value in vars(module).values() if isinstance(value, Activation))
    return MappingProxyType({activation.name: activation for activation in activations})


def named(name: str, known: Mapping[str, Activation]) -> Activation:
    """Return an activation by name, ``elu`` or with parameters ``elu:alpha=0.5``; `InputError` for an unknown name."""
    plain, *settings = name.split(":")
    if plain not in known:
        likely = OTHER_NAMES.get(plain.lower(), plain.lower())
        if likely in known:
            raise InputError(f"unknown activation '{plain}': did you mean '{likely}'?")
        raise unknown("activation", plain, known, LOADED)
    try:
        return known[plain].with_parameters(dict(map(_setting, settings)))
    except ValueError as error:
        raise InputError(f"'{name}' is no activation: {error}") from None


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ValueError(f"write parameters as in elu:alpha=0.5, not '{text}'") from None


def is_built_in(activation: Activation) -> bool:
    """Return whether an activation, with any parameters and strategies, is actbench's own, not a loaded one."""
    return activation.plain_name in built_in()
