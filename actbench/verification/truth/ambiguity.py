"""Two z with one y and different g': then no formula of y can be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.formula import Activation
from actbench.verification.truth import differences, truth_at

Array = NDArray[np.float64]

NEAR = 30.0
"""|z| within which a second z is looked for: layers see no more, and functions saturate beyond."""

STEPS = 4096
"""Into which that range is divided."""

HALVINGS = 60
"""Of one step: more than the digits of float64."""

SAME = 1e-9
"""By how much two y may differ, relative to them and to 1: at a jump there is no root."""

APART = 1e-6
"""How far apart two z must be, relative to them: nearer ones are told apart by no rounded y at all."""

DIFFERENT = 1e-3
"""By how much of the largest g' near 0 two g' must differ."""


class Pair(NamedTuple):
    """Two z that y does not tell apart."""

    z: tuple[float, float]
    y: float
    slopes: tuple[float, float]


def pair(activation: Activation, z: float, slope: float, largest: float) -> Pair | None:
    """Return another z with the y of this one and another g', or None where there is none.

    `slope` is g'(z), and `largest` the size of g' near 0, for which differences count.
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
