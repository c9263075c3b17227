"""What is differentiated: one small file each, found by discovery."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

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
"""What people and libraries call them, by name."""


@cache
def catalogue() -> dict[str, Activation]:
    """Return every activation by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Activation))
    return {activation.name: activation for activation in found}


def get(name: str) -> Activation:
    """Return the activation of that name, ``elu`` or ``elu:alpha=0.5``; `InputError` when there is none."""
    plain, *settings = name.split(":")
    try:
        found = catalogue()[plain]
    except KeyError:
        likely = OTHER_NAMES.get(plain.lower(), plain.lower())
        if likely in catalogue():
            raise InputError(f"unknown activation '{plain}': did you mean '{likely}'?") from None
        raise unknown("activation", plain, catalogue(), LOADED) from None
    try:
        return found.with_parameters(dict(map(_setting, settings)))
    except ValueError as error:
        raise InputError(f"'{name}' is no activation: {error}") from None


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ValueError(f"write parameters as in elu:alpha=0.5, not '{text}'") from None


@cache
def is_built_in(name: str) -> bool:
    """Say whether an activation, with or without parameters, is actbench's own, and not loaded."""
    plain, _, _ = name.partition(":")
    return any(plain == module.name.replace("_", "-") for module in iter_modules(__path__))
