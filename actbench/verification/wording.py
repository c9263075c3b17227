"""Numbers, and sets of z, as words for messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from actbench.verification.truth import Array

SHORT = 9
"""Digits of a number that is shown alone: those that distinguish float32 numbers."""

LONG = 17
"""Digits that distinguish any two numbers of float64."""


def distinct(one: Any, other: Any, digits: int = SHORT) -> tuple[str, str]:
    """Return two numbers as text, with this many digits, or with as many as show that they differ."""
    for enough in range(digits, LONG + 1):
        texts = f"{float(one):.{enough}g}", f"{float(other):.{enough}g}"
        if texts[0] != texts[1]:
            break
    return texts


def mismatch(z: str, what: str, computed: Any, expected: Any) -> str:
    """Return the computed and the right value at one z, in words; without the sign of 0."""
    result, right = distinct(computed + 0, expected + 0)
    return f"at z = {z} it gives {result} where {what} = {right}"


def place(z: Array, at: int, wrong: Array) -> str:
    """Return a z as text, with the digits that distinguish it; ``-0`` only where 0 itself is right."""
    if z[at] == 0:
        return "-0" if np.signbit(z[at]) and not wrong[(z == 0) & ~np.signbit(z)].any() else "0"
    others = z[z != z[at]].astype(np.float64)
    with np.errstate(over="ignore"):
        nearest = others[np.argmin(np.abs(others - float(z[at])))] if others.size else np.nan
    return distinct(z[at], nearest)[0]


def extent(z: Array, there: Array) -> str:
    """Return the z for which something holds, in words such as ``for z >= 142``."""
    values, index = np.unique(z, return_inverse=True)
    holds = np.zeros(values.size, dtype=bool)
    holds[index[there]] = True
    runs = list(_runs(holds))
    if len(runs) == 1:
        return _range(values, *runs[0])
    (first, low), (high, last) = runs[0], runs[-1]
    if len(runs) == 2 and first == 0 and last == values.size - 1:  # both tails
        symmetric = values[low] == -values[high]
        return (
            f"for |z| >= {values[high]:.4g}" if symmetric else f"for z <= {values[low]:.4g} and z >= {values[high]:.4g}"
        )
    return f"at {np.count_nonzero(holds)} of {values.size} z, from {values[first]:.4g} to {values[last]:.4g}"


def _range(values: Array, start: int, end: int) -> str:
    if start == end:
        return f"for z = {values[start] + 0:.9g} alone"
    if end == values.size - 1:
        return "for every z" if start == 0 else f"for z >= {values[start]:.4g}"
    return f"for z <= {values[end]:.4g}" if start == 0 else f"for z from {values[start]:.4g} to {values[end]:.4g}"


def _runs(holds: Array) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of every run of true elements."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield int(start), int(end) - 1
