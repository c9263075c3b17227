"""The z beside the roots of g', where a difference that cancels shows it."""

from __future__ import annotations

import numpy as np

from actbench.verification.truth import Array

NEARER = 0.618
"""The distance of a z from a root, divided by that of the one before: no power of two, so that z has all its digits."""

STEPS = 24
"""Of distances: the last is 1e-5 of the first."""

FARTHEST = 1e4
"""Largest |z| at which roots are looked for: farther out, those of a function that oscillates are between all z."""


def beside_roots(z: Array, slopes: Array) -> Array:
    """Return z on both sides of each root of g' between some z, ever nearer to where a straight line has it.

    `slopes` are the g' at these z; NaN where it is not known. Where g' is 0 over a stretch of z, that is no root.
    """
    order = np.argsort(z)
    order = order[np.isfinite(slopes[order]) & (np.abs(z[order]) <= FARTHEST)]
    z, signs = z[order].astype(np.float64), np.sign(slopes[order])
    size = np.abs(slopes[order])
    between = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    at = np.flatnonzero(signs[:-2] * signs[2:] * (signs[1:-1] == 0) < 0) + 1
    gap = z[between + 1] - z[between]
    share = 1.0 / (1.0 + size[between + 1] / size[between])
    roots = np.concatenate([z[between] + share * gap, z[at]])
    widths = np.concatenate([gap, z[at + 1] - z[at]])
    distances = widths * NEARER ** np.arange(STEPS)[:, np.newaxis]
    return np.asarray(np.unique(np.concatenate([roots - distances, roots + distances])))
