"""Protection of everything else from what a user's definitions do when they are called."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from actbench.formula import Activation, Formulas
from actbench.model.networks import Layer, NetworkKind
from actbench.model.rule import Formula
from actbench.plugins._guard import Code, MisuseError, guarded


def steady(activation: Activation, name: str) -> Activation:
    """Return the activation with a definition that restores the settings of numpy and of the interpreter.

    A definition that changes mpmath's precision raises `MisuseError`, because its result would have another precision
    than the oracle assumes. `name` is the name under which the file was loaded.
    """
    build: Callable[..., Formulas] = activation.build

    @wraps(build)
    def steadied(m: Any, **parameters: float) -> Formulas:
        formulas = copy.copy(build(m, **parameters))
        object.__setattr__(formulas, "definition", _steadied(formulas.definition, activation, name))  # it is frozen
        return formulas

    return replace(activation, build=steadied)


def _steadied(definition: Formula, activation: Activation, name: str) -> Formula:
    @wraps(definition)
    def call(*inputs: Any) -> Any:
        recursion, errors, bits = sys.getrecursionlimit(), np.geterr(), _bits()
        try:
            y = definition(*inputs)
        finally:
            sys.setrecursionlimit(recursion)
            np.seterr(**errors)
        if bits not in {None, _bits()}:
            sys.modules["mpmath"].mp.prec = bits
            raise MisuseError(
                f"--load {name}: the definition of {activation.name} sets mpmath's precision: leave it unchanged, or "
                "use 'with mpmath.workdps(...)'"
            )
        return y

    return call


def _bits() -> int | None:
    """Return mpmath's precision in bits; None where mpmath is not imported."""
    module = sys.modules.get("mpmath")
    return None if module is None else int(module.mp.prec)


def guarded_network(network: NetworkKind, code: Code) -> NetworkKind:
    """Return the network with a function that builds it under guard; `ValueError` is for widths that do not fit."""
    build = network.build

    @wraps(build)
    def built(*widths: int) -> Sequence[Layer]:
        with guarded([code], f"network '{network.name}'"):
            try:
                return build(*widths)
            except ValueError as error:
                unfit = str(error)
        raise ValueError(unfit)

    return replace(network, build=built)
