"""Residuals in a narrower type than the arithmetic's: one transformation of a rule, for every backend.

A backend provides two conversion functions, of one element or of a whole array, like its formulas. This module wraps
the formulas in them, so a backend needs to know only the dtype of its residual arrays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.model.names import Dtype, Storage
from actbench.model.number_formats import numpy_dtype
from actbench.model.rule import Conversion, Formula, Rule

BITS_DTYPE = np.dtype(np.uint16)
"""The dtype under which arrays of 16-bit floats are passed to libraries that lack these types."""


def as_bits(array: NDArray[Any]) -> NDArray[Any]:
    """Return 16-bit floats as integers in the same memory; other arrays unchanged."""
    return array.view(BITS_DTYPE) if array.dtype.itemsize == BITS_DTYPE.itemsize else array


def by_astype(storage: Storage, dtype: Dtype) -> Conversion:
    """Return the conversions of a library whose arrays have `astype` and accept numpy's types."""
    narrower, wider = numpy_dtype(storage), numpy_dtype(dtype)

    def widen(kept):
        return kept.astype(wider)

    def narrow(computed):
        return computed.astype(narrower)

    return Conversion(storage, widen, narrow)


def narrowed(rule: Rule, conversion: Conversion) -> Rule:
    """Return the rule with every residual narrowed where it is saved and widened where it is read.

    The functions have one parameter per residual, not ``*residuals``, because compiled loops call them.
    """
    return replace(
        rule,
        derivative=_reading(rule, conversion.widen),
        save=_keeping(rule, conversion.narrow),
        library_gradient=rule.library_gradient and _gradient(rule.library_gradient, conversion.widen),
        conversion=conversion,
    )


def _reading(rule: Rule, widen: Formula) -> Formula:
    formula = rule.derivative

    def from_one(residual):
        return formula(widen(residual))

    def from_two(residual, second):
        return formula(widen(residual), widen(second))

    return _reported_as(formula, from_one if len(rule.residuals) == 1 else from_two)


def _keeping(rule: Rule, narrow: Formula) -> Formula:
    forward = rule.save or rule.forward

    def z_alone(z):
        return forward(z), narrow(z)

    def y_alone(z):
        y = forward(z)
        return y, narrow(y)

    def z_and_y(z):
        y = forward(z)
        return y, narrow(z), narrow(y)

    def saved_alone(z):
        y, kept = forward(z)
        return y, narrow(kept)

    def z_and_saved(z):
        y, kept = forward(z)
        return y, narrow(z), narrow(kept)

    if rule.save:
        return _reported_as(forward, z_and_saved if "z" in rule.residuals else saved_alone)
    keeping = {("z",): z_alone, ("y",): y_alone, ("z", "y"): z_and_y}[rule.residuals]
    return _reported_as(forward, keeping)


def _gradient(kernel: Formula, widen: Formula) -> Formula:
    def gradient(dy, *residuals):
        return kernel(dy, *map(widen, residuals))

    return _reported_as(kernel, gradient)


def _reported_as(formula: Formula, function: Formula) -> Formula:
    """Return the function with the formula's signature and source, as `inspect` reports them."""
    function.__wrapped__ = formula  # type: ignore[attr-defined]
    return function
