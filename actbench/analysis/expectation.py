"""The expected g' at any z, interpolated between points with known g': far cheaper than the truth.

It only decides where the truth is worth computing. The interpolated quantity is the signed logarithm of g', flattened
below the smallest normal number, as a monotone piecewise cubic (PCHIP), so that exponential tails become straight
lines. The interpolation error is estimated by leaving out every other point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.accuracy import LOSS_TESTS
from actbench.model.checks import WRONG
from actbench.model.number_formats import limits

if TYPE_CHECKING:
    from actbench.verification.truth import Truth  # it brings mpmath, which reports need not

Array = NDArray[np.float64]

LINEAR = (1.0, 1000.0)
"""Range of |z| in which the interpolation is over z; below and above, it is over the logarithm of |z|."""

DISTINCT = 1e-9
"""Distance up to which two points count as one."""

UNKNOWN, RIGHT, SUSPECT = np.int8(-1), np.int8(0), np.int8(1)
"""States of results compared with the expectation; unknown where the expectation is too uncertain."""

States = Mapping[str, NDArray[np.int8]]
"""States of results, by field of `Loss`."""

DISTANCE = 0.9 * WRONG
"""Relative distance from the interpolated g', beyond its uncertainty, from which on the truth is computed."""

NORMAL = float(np.log(2.0))
"""The flattened logarithm of the smallest normal number."""


class Expectation:
    """The interpolated g' in one tail."""

    def __init__(self, magnitudes: Array, truth: Truth) -> None:
        """Take the |z| with known g', in ascending order, and g' there."""
        self._tiny = float(limits(truth.nearest.dtype).tiny)
        position = _position(magnitudes)
        distinct = np.flatnonzero(np.diff(position, prepend=-np.inf) > DISTINCT)
        self._position, size = position[distinct], self._flattened(truth.nearest[distinct])
        known = np.isfinite(truth.nearest[distinct])
        if truth.slack is not None:
            with np.errstate(all="ignore"):
                known &= truth.slack[distinct] * truth.ulp[distinct] < DISTANCE / 4 * np.abs(truth.nearest[distinct])
        self._finite = np.isfinite(truth.nearest[distinct])
        size = np.where(self._finite, size, 0.0)
        self._curve = _curve(self._position, size)
        missed = np.full(distinct.size, np.inf)
        for start in (0, 1):
            others = slice(start, None, 2)
            left_out = np.arange(1 - start, distinct.size, 2)
            inside = left_out[(left_out > 0) & (left_out < distinct.size - 1)]
            missed[inside] = np.abs(_curve(self._position[others], size[others])(self._position[inside]) - size[inside])
        missed[~known] = np.inf
        if missed.size > 2:  # the error at the ends cannot be estimated: it is taken from their neighbours
            for end, neighbour in ((0, 1), (-1, -2)):
                missed[end] = missed[neighbour] if known[end] else np.inf
        self._doubt = np.maximum(missed[:-1], missed[1:])

    def states(self, magnitudes: Array, computed: Array) -> States:
        """Return the states of results at some |z|: where they are suspect, the truth decides."""
        position = _position(magnitudes)
        gap = np.clip(np.searchsorted(self._position, position, side="right") - 1, 0, self._doubt.size - 1)
        expected, size, doubt = self._curve(position), self._flattened(computed), self._doubt[gap]
        with np.errstate(invalid="ignore"):
            off = np.abs(size - expected)
        expected, size = np.abs(expected), np.abs(size)
        zero, nan = computed == 0, ~np.isfinite(computed) & (self._finite[gap] | self._finite[gap + 1])
        suspect = {
            "wrong": (off > DISTANCE + doubt) & (np.maximum(size, expected) > NORMAL)
            | zero & (expected > NORMAL)
            | nan,
            "zero": zero & (expected > NORMAL),
            "nan": nan,
        }
        unknown = {
            "wrong": (off > DISTANCE) & (np.maximum(size, expected + doubt) > NORMAL),
            "zero": zero & (expected + doubt > NORMAL),
            "nan": np.zeros(nan.shape, dtype=bool),
        }
        return {name: np.where(suspect[name], SUSPECT, np.where(unknown[name], UNKNOWN, RIGHT)) for name in LOSS_TESTS}

    def _flattened(self, values: Array) -> Array:
        """Return sign(v) log(1 + |v| / tiny), without overflow."""
        with np.errstate(all="ignore"):
            size = np.abs(values.astype(np.float64))
            return np.asarray(np.sign(values) * (np.logaddexp(np.log(size), np.log(self._tiny)) - np.log(self._tiny)))


def _position(magnitudes: Array) -> Array:
    """Return the position of |z| on an axis that is linear in the middle and logarithmic outside."""
    low, high = LINEAR
    size = magnitudes.astype(np.float64)
    below = np.log(np.maximum(size, 2.0**-1074) / low) - (size == 0)
    above = high * (1 + np.log(np.maximum(size, high) / high)) - low
    return np.where(size < low, below, np.where(size > high, above, size - low))


def _curve(position: Array, size: Array) -> Callable[[Array], Array]:
    from scipy.interpolate import PchipInterpolator

    with np.errstate(all="ignore"):  # slopes between neighbours of very different size
        curve: Callable[[Array], Array] = PchipInterpolator(position, size)
    return curve
