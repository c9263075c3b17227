"""Calls of a kernel at NaN, at ±inf and at kinks."""

from __future__ import annotations

from functools import cache
from math import inf, nan

import numpy as np

from actbench.analysis.accuracy import Part
from actbench.analysis.conventions import AtInfinity, AtKink, Conventions
from actbench.engine.survey.look import Look
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.names import Quantity
from actbench.verification import oracle
from actbench.verification.truth import sides_at

FAR = np.finfo(np.float64).max * np.array([0.1, 0.7, 1.0])
"""The |z| at which the truth shows what it tends to."""

VANISHING, UNBOUNDED = 1e-100, 1e100
"""Sizes at these |z| of what tends to 0, and of what tends to infinity."""

SAME = 1e-9
"""Relative difference up to which values at these |z| count as one."""


def conventions(kernel: Kernel, look: Look) -> Conventions:
    """Call a kernel at NaN, at ±inf, and at the kinks if it computes a derivative."""
    kinks = sorted(kernel.formulas.kinks) if look.quantity is not Quantity.FORWARD else []
    results = look.called(np.array([nan, -inf, inf, *kinks], dtype=look.dtype)).astype(np.float64)
    at_nan, left, right, *at_kinks = results.tolist()
    limits = {part: _rounded(_limit(kernel.activation, look.quantity, part), look) for part in (Part.LEFT, Part.RIGHT)}
    return Conventions(
        at_nan,
        {Part.LEFT: AtInfinity(left, limits[Part.LEFT]), Part.RIGHT: AtInfinity(right, limits[Part.RIGHT])},
        tuple(at_kink(kernel.activation, *pair) for pair in zip(kinks, at_kinks, strict=True)),
    )


def at_kink(activation: Activation, z: float, result: float) -> AtKink:
    """Return the slope that a kernel gives at a kink, with those on its sides."""
    sides = sides_at(activation, z)
    before, after = (sides.left, sides.right) if sides else (nan, nan)
    return AtKink(z, result, before, after, activation.formulas.kinks[z])


def _rounded(limit: float, look: Look) -> float:
    return float(np.array(limit).astype(look.dtype))


@cache
def _limit(activation: Activation, quantity: Quantity, part: Part) -> float:
    """Return what the derivative or y tends to; NaN where the truth far out does not show it."""
    z = -FAR if part is Part.LEFT else FAR
    slope, output = oracle.truth_at(activation, z)
    values: Array = (output if quantity is Quantity.FORWARD else slope).nearest
    size = np.abs(values)
    if (size < VANISHING).all():
        return 0.0
    if (size > UNBOUNDED).all() and (np.sign(values) == np.sign(values[0])).all():
        return float(np.sign(values[0]) * inf)
    with np.errstate(over="ignore"):  # of numbers near the largest one
        tends = bool((np.abs(values - values[-1]) <= SAME * size).all())
    return float(values[-1]) if tends else nan
