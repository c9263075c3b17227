"""Check that a function works elementwise: softmax and normalisations depend on the other elements of an array."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench import backends
from actbench.formula import Activation
from actbench.model.rule import Dialect, Formula
from actbench.plugins import evaluating, with_room

Array = NDArray[Any]

PROBES = np.array([0.75, -2.5, 3.0, -0.25, 6.5, -0.5, 1.5, -7.0, 0.3, 2.25, -1.25])
"""Arguments, not in order, so that sorting is noticed as well."""

SAME = 1e-6
"""Largest relative difference of two equal results: loops over vectors and over numbers round differently."""


@cache
@evaluating
def dependence(activation: Activation, strategy: str | None = None) -> str | None:
    """Return a message where g, or g' by a strategy, depends on the other elements of an array; None where not."""
    what, formula, arrays = _formula(activation, strategy)
    at = _dependent(formula, arrays)
    if at is None:
        return None
    return (
        f"{what} of {activation.name} at z = {PROBES[at]:g} depends on the other elements of the array; write a "
        "function of one element, which a softmax, a normalisation, a sum or a sort is not"
    )


def _formula(activation: Activation, strategy: str | None) -> tuple[str, Formula, list[Array]]:
    """Return a function, its name, and its arguments at `PROBES`."""
    numpy = backends.namespace("numpy")
    if strategy is None:
        return "the output", activation.forward(Dialect.ARRAY, numpy), [PROBES]
    rule = activation.rule(strategy, Dialect.ARRAY, numpy)
    y, *saved = _called(rule.save or (lambda z: (rule.forward(z),)), [PROBES]) or (PROBES,)
    known = {"z": PROBES, "y": y, **dict(zip(rule.saved, saved, strict=False))}
    arrays = [np.broadcast_to(np.asarray(known.get(name, PROBES)), PROBES.shape) for name in rule.residuals]
    return f"g' by the strategy '{strategy}'", rule.derivative, arrays


def _dependent(formula: Formula, arrays: list[Array]) -> int | None:
    """Return the index where a function gives another number alone than among others, or None."""
    together = _called(formula, arrays)
    if together is None:
        return None
    whole = _numbers(together, PROBES.size)
    for at in range(PROBES.size):
        alone = _called(formula, [array[at : at + 1] for array in arrays])
        number = None if alone is None else _numbers(alone, 1)
        if whole is None or number is None:
            return None
        if not np.allclose(number, whole[at], rtol=SAME, atol=0.0, equal_nan=True):
            return at
    return None


def _numbers(result: Any, size: int) -> Array | None:
    """Return a result as real numbers; None where its form is wrong, which the check of the kernel reports."""
    array = np.asarray(result)
    if array.dtype.kind not in "biuf" or array.shape not in {(), (size,)}:
        return None
    return np.broadcast_to(array.astype(np.float64), (size,))


def _called(formula: Callable[..., Any], arrays: list[Array]) -> Any | None:
    """Return the result of a function of arrays; None where it raises, or accepts numbers only."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return formula(*map(with_room, arrays))
        except Exception:  # noqa: BLE001  # the user's code may raise anything
            return None
