"""Distributions of rounds around a median of 0, of scatter 1 or so: even, skewed, of two modes, with heavy tails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = int | tuple[int, int]


def normal(rng: np.random.Generator, size: Shape) -> Floats:
    """Draw from N(0, 1)."""
    return np.asarray(rng.normal(size=size))


def skewed(rng: np.random.Generator, size: Shape) -> Floats:
    """Draw from an exponential distribution."""
    return np.asarray(rng.exponential(size=size) - np.log(2))


def bimodal(rng: np.random.Generator, size: Shape) -> Floats:
    """Draw from two modes, half of the rounds from either."""
    return np.asarray(rng.normal(scale=0.3, size=size) + np.where(rng.random(size) < 0.5, -1.0, 1.0))


def heavy(rng: np.random.Generator, size: Shape) -> Floats:
    """Draw from Student's distribution with two degrees of freedom, whose variance is infinite."""
    return np.asarray(rng.standard_t(2, size=size))


def slow_processes(rng: np.random.Generator, size: Shape) -> Floats:
    """Draw from N(0, 1), but for a few processes on either side that are slow throughout."""
    far = np.where(rng.random(size) < 0.04, 40.0, 0.0) - np.where(rng.random(size) < 0.04, 40.0, 0.0)
    return np.asarray(rng.normal(size=size) + far)


Draw = Callable[[np.random.Generator, Shape], Floats]

SCATTERS: Mapping[str, Draw] = {draw.__name__: draw for draw in (normal, skewed, bimodal, heavy, slow_processes)}
