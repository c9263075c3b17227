"""The z at which kernels are checked: a fixed grid, and points that are drawn anew in every process.

The grid covers both tails out to the largest finite numbers. A kernel that knows the grid could be wrong anywhere else.
So further points are drawn from a fresh seed: at random, and a few units in the last place beside the places where
kernels go wrong, which are kinks, roots of g', the z at which y or g' saturates, and powers of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

import numpy as np

from actbench import backends
from actbench.formula import Activation
from actbench.model.names import Dtype
from actbench.model.number_formats import computed_in, limits, numpy_dtype
from actbench.model.rule import Dialect
from actbench.plugins import evaluating, with_room
from actbench.verification.truth import Array

SCALED = (*np.linspace(0.25, 4.0, 16), *np.linspace(5.0, 40.0, 36))
"""The |z| at which kernels are checked, in units of a parameter."""

NEAR_1 = 4.0
"""Parameters between 1 / NEAR_1 and NEAR_1 need no further points: the grid covers their scale."""


@cache
def grid(dtype: Dtype) -> Array:
    """Return the grid: both tails, ±0, denormals, and out to the largest finite numbers."""
    fmt = limits(dtype)
    vanish = -np.log(float(fmt.smallest_subnormal))  # beyond it, g' of the logistic is 0 in this format
    dense = np.linspace(0.0, 1.02 * vanish, 300)
    near = np.concatenate([np.linspace(0.0, 2.0, 129), np.linspace(2.25, 40.0, 152)])
    small = np.geomspace(float(fmt.tiny), 1.0, 24)
    large = np.geomspace(vanish, float(fmt.max) / 2, 16)[1:]
    square = 2.0 * np.sqrt(float(fmt.max))  # its square overflows
    ends = np.array([float(fmt.smallest_subnormal), float(fmt.eps), 1e3, 1e4, square, float(fmt.max)])
    magnitudes = np.concatenate([dense, near, small, large, ends])
    distinct = np.unique(np.concatenate([-magnitudes, magnitudes]).astype(numpy_dtype(dtype)))
    return np.concatenate([distinct[distinct != 0], np.array([-0.0, 0.0], dtype=distinct.dtype)])


@cache
def points(activation: Activation, dtype: Dtype) -> Array:
    """Return the z at which kernels of an activation are checked.

    These are the grid, the kinks with their neighbours, and the points near 0 scaled by the activation's parameters.
    """
    fmt = numpy_dtype(dtype).type
    kinks = [fmt(z) for z in activation.formulas.kinks if z != 0]
    near = [np.nextafter(kink, fmt(side)) for kink in kinks for side in (-np.inf, np.inf)]
    plain = grid(dtype)
    at_kinks = np.array([*kinks, *near], dtype=plain.dtype)
    more = np.concatenate([at_kinks, _scaled(activation.parameters.values(), dtype)])
    return np.concatenate([plain, np.setdiff1d(more, plain)])


def _scaled(parameters: Iterable[float], dtype: Dtype) -> Array:
    """Return z in units of the parameters and of their inverses: a function of z / alpha changes there."""
    sizes = [abs(value) for value in parameters if value]
    scales = [scale for size in sizes for scale in (size, 1.0 / size) if not 1 / NEAR_1 <= scale <= NEAR_1]
    z = np.array([sign * scale * step for scale in scales for step in SCALED for sign in (-1.0, 1.0)])
    with np.errstate(over="ignore"):
        narrow = z.astype(numpy_dtype(dtype))
    return np.asarray(narrow[np.isfinite(narrow) & (narrow != 0)])


DRAWN = 64
"""Number of points of each kind that are drawn from a fresh seed."""

BESIDE = 3
"""Largest distance of a point from a special place, in units in the last place."""

SECTIONS = 64
"""Number of parts into which an interval is divided at a time, in the search for a change."""


@cache
@evaluating
def further(activation: Activation, dtype: Dtype) -> Array:
    """Return z that are drawn from a fresh seed in every process, and z beside the special places of an activation."""
    rng = np.random.default_rng()
    fmt = limits(dtype)
    vanish = -np.log(float(fmt.smallest_subnormal))
    signs = rng.choice([-1.0, 1.0], DRAWN)
    exponents = rng.integers(fmt.minexp, fmt.maxexp, DRAWN // 4)
    spread = np.exp(rng.uniform(np.log(float(fmt.tiny)), np.log(float(fmt.max)), DRAWN))
    drawn = [rng.standard_normal(DRAWN), rng.uniform(-vanish, vanish, DRAWN), signs * spread]
    places = np.concatenate([np.ldexp(1.0, exponents), -np.ldexp(1.0, exponents), *_special(activation, dtype)])
    near = _beside(places.astype(numpy_dtype(dtype)), rng)
    z = np.concatenate([*(part.astype(near.dtype) for part in drawn), near])
    return np.asarray(np.unique(z[np.isfinite(z) & (z != 0)]))


def _beside(places: Array, rng: np.random.Generator) -> Array:
    """Return the places, and for each a number a few units in the last place below it, and one above."""
    steps = rng.integers(1, BESIDE + 1, (2, places.size)).astype(places.dtype)
    with np.errstate(over="ignore"):  # the largest number has no neighbour above, and the smallest none below
        units = np.spacing(np.abs(places))
        return np.concatenate([places, places - steps[0] * units, places + steps[1] * units])


def _special(activation: Activation, dtype: Dtype) -> Iterator[Array]:
    """Yield kinks, roots of g', and the z at which y or g' saturates, as numpy computes them."""
    formulas = activation.formulas
    yield np.array([*formulas.kinks], dtype=np.float64)
    namespace = backends.namespace("numpy")
    functions = [activation.forward(Dialect.ARRAY, namespace)]
    for name in formulas.strategies:
        rule = activation.rule(name, Dialect.ARRAY, namespace)
        if rule.residuals == ("z",):
            functions.append(rule.derivative)
    for function in functions:
        yield _changes(function, grid(dtype))


def _changes(function: Callable[[Array], Array], z: Array) -> Array:
    """Return the z at which the result of a function changes its kind, such as its sign, or saturates."""
    z = np.sort(z)
    low, high = z[:-1], z[1:]
    try:
        kinds = _kinds(function, z)
    except Exception:  # noqa: BLE001  # a user's formula may not accept arrays; then there are no changes to find
        return np.array([], dtype=z.dtype)
    changed = np.flatnonzero(kinds[1:] != kinds[:-1])
    low, high, first = low[changed], high[changed], kinds[changed]
    while low.size and np.any(np.nextafter(low, high) < high):
        between = low + (high - low) * np.linspace(0.0, 1.0, SECTIONS + 1, dtype=z.dtype)[:, np.newaxis]
        between = np.minimum(np.maximum(between, low), high)
        between[-1] = high
        changed = _kinds(function, between.ravel()).reshape(between.shape) != first
        at = np.argmax(changed, axis=0)
        columns = np.arange(low.size)
        narrower_low, narrower_high = between[np.maximum(at - 1, 0), columns], between[at, columns]
        if np.all((narrower_low == low) & (narrower_high == high)):
            break
        low, high = narrower_low, narrower_high
    return np.asarray(high)


def _kinds(function: Callable[[Array], Array], z: Array) -> Array:
    """Return a code for the kind of each value: NaN, a sign, or a constant at which functions saturate."""
    with np.errstate(all="ignore"):
        result = function(with_room(z.astype(computed_in(z.dtype))))
        value = np.broadcast_to(np.real(result).astype(z.dtype).astype(np.float64), z.shape)
    kind = np.sign(np.nan_to_num(value, nan=0.0)).astype(np.int64)
    for number, constant in enumerate((1.0, -1.0), start=2):
        kind[value == constant] = number
    kind[value == z] = 4
    kind[np.isnan(value)] = 5
    return np.asarray(kind)
