"""Search for two z with the same y and different g': for such an activation, no formula of y alone can be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.formula import Activation
from actbench.verification.truth import differences, truth_at

Array = NDArray[np.float64]

NEAR = 30.0
"""|z| within which a second z is searched: layers see no larger ones, and functions saturate beyond."""

STEPS = 4096
"""Number of steps into which that range is divided."""

HALVINGS = 60
"""Number of halvings of a step in the bisection: more than float64 has digits."""

SAME = 1e-9
"""Difference of two y, relative to max(|y|, 1), up to which they count as the same; at a jump there is no root."""

APART = 1e-6
"""Least distance of two z, relative to their size: no rounded y distinguishes nearer ones."""

DIFFERENT = 1e-3
"""Least difference of two g', relative to the largest g' near 0."""


class Pair(NamedTuple):
    """Two z that y does not distinguish."""

    z: tuple[float, float]
    y: float
    slopes: tuple[float, float]


def pair(activation: Activation, z: float, slope: float, largest: float) -> Pair | None:
    """Return a second z with the same y and another g', or None where there is none.

    `slope` is g'(z); `largest` is the size of g' near 0, by which differences of g' are judged.
    """
    g = differences.forward(activation)
    y = float(g(np.array([z]))[0])
    others = _same_output(g, z, y)
    if not others.size:
        return None
    slopes = truth_at(activation, others)[0].nearest
    apart = np.abs(slopes - slope)
    most = int(np.argmax(np.where(np.isfinite(apart), apart, -1.0)))
    if not apart[most] > DIFFERENT * largest:
        return None
    return Pair((z, float(others[most])), y, (slope, float(slopes[most])))


def _same_output(g: Callable[..., Array], z: float, y: float) -> Array:
    """Return other z between -`NEAR` and `NEAR` where g is y, by bisection."""
    edges = np.linspace(-NEAR, NEAR, STEPS + 1)
    with np.errstate(all="ignore"):
        side = np.sign(g(edges) - y)
    crossed = side[:-1] * side[1:] < 0
    low, high, below = edges[:-1][crossed], edges[1:][crossed], side[:-1][crossed]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        left = np.sign(g(middle) - y) == below
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    roots = np.concatenate([edges[side == 0], high])
    same = np.abs(g(roots) - y) <= SAME * max(1.0, abs(y))
    return np.asarray(roots[same & (np.abs(roots - z) > APART * max(1.0, abs(z)))])
