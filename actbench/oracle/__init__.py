"""The truth about a kernel: its error against mpmath, in units in the last place.

A wrong kernel has no speed, so every kernel of a plan is checked before anything is timed. The truth is the derivative
of the activation's *definition*, by a central difference in arithmetic so wide that the difference is exact to any
format's precision; the formulas under test have no part in it. At a kink it is what the activation declares.

A strategy must be within `STATED_ULP` of the truth everywhere, except where its declared weaknesses say that it is
not; there it must be wrong in just the way declared:

* ``cancels``: the absolute error stays below ``STATED_ULP * eps``, and somewhere exceeds what is stated elsewhere;
* ``overflows``: the call raises, or returns 0, inf or NaN;
* ``amplifies``: the error stays below ``STATED_ULP`` times the declared factor;
* ``merges``: the result is g' at the kink.

A backend may be known to flush denormal numbers: its results may then be off by a few of the smallest normal numbers,
and are not looked at where z itself is smaller. What was seen of that is told with the weaknesses.

A strategy that keeps its residuals narrowly is held to its formula on what is kept (`actbench.oracle.kept`); the error
that is told of it is, as everywhere, that against the truth: the price.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from actbench import activations, backends, overhead, residuals
from actbench.by_name import by_name
from actbench.costs import bytes_moved, residual_bytes
from actbench.formula import Flaw
from actbench.model import BANDS, STATED_ULP, Check, Dtype, Kernel, Op
from actbench.oracle import allowance, kept, refusal
from actbench.truth import Array, Truth, residuals_at, slopes_at, truth_at
from actbench.truth.diagnosis import Evidence

__all__ = [
    "Evaluate",
    "Evaluation",
    "Truth",
    "check",
    "grid",
    "points",
    "residuals_at",
    "slopes_at",
    "truth",
    "truth_at",
]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a kernel answers for an array z and upstream gradient dy.

    ``y`` is given by a step alone. Where the call raised, the elements are NaN and `raised` says what.
    """

    derivative: Array
    y: Array | None
    raised: str | None = None


Evaluate = Callable[[Kernel, Array, Array], Evaluation]


@cache
def grid(dtype: Dtype) -> Array:
    """Return the z at which kernels are checked: both tails, ±0, denormals, and out to the largest finite numbers."""
    fmt = np.finfo(dtype)
    vanish = -np.log(float(fmt.smallest_subnormal))  # beyond, g' of the logistic is 0 in this format
    dense = np.linspace(0.0, 1.02 * vanish, 300)
    near = np.concatenate([np.linspace(0.0, 2.0, 129), np.linspace(2.25, 40.0, 152)])
    small = np.geomspace(float(fmt.tiny), 1.0, 24)
    large = np.geomspace(vanish, float(fmt.max) / 2, 16)[1:]
    square = 2.0 * np.sqrt(float(fmt.max))  # its square overflows
    limits = np.array([float(fmt.smallest_subnormal), float(fmt.eps), 1e3, 1e4, square, float(fmt.max)])
    magnitudes = np.concatenate([dense, near, small, large, limits])
    distinct = np.unique(np.concatenate([-magnitudes, magnitudes]).astype(dtype))
    return np.concatenate([distinct[distinct != 0], np.array([-0.0, 0.0], dtype=dtype)])


@by_name
@cache
def points(activation: str, dtype: Dtype) -> Array:
    """Return the z at which kernels of an activation are checked: the grid, its kinks and what is next to them."""
    fmt = np.dtype(dtype).type
    kinks = [fmt(z) for z in activations.get(activation).formulas.kinks if z != 0]
    near = [np.nextafter(kink, fmt(side)) for kink in kinks for side in (-np.inf, np.inf)]
    plain = grid(dtype)
    return np.concatenate([plain, np.setdiff1d(np.array([*kinks, *near], dtype=dtype), plain)])


@by_name
@cache
def truth(activation: str, dtype: Dtype) -> tuple[Truth, Truth]:
    """Return g' and y where kernels are checked."""
    return truth_at(activation, points(activation, dtype))


def check(kernel: Kernel, evaluate: Evaluate) -> Check:
    """Hold a kernel to the truth; `WrongKernelError` names the worst z when it is not what it says it is."""
    if kernel.is_rung:
        z = grid(kernel.dtype)
        finite = z[np.abs(z) < np.sqrt(np.finfo(z.dtype).max) / 2]
        return overhead.check(kernel, finite, evaluate(kernel, finite, finite).derivative)
    z = points(kernel.activation, kernel.dtype)
    slope, output = truth(kernel.activation, kernel.dtype)
    dy = np.resize(np.array([1.0, -2.0, 2.0, -1.0]), z.size).astype(kernel.dtype)  # exact factors
    dy[np.abs(slope.nearest) > np.finfo(z.dtype).max / 4] = 1
    answer = evaluate(kernel, z, dy)
    refusal.check_form(kernel, answer.derivative, z)
    derivative = answer.derivative if kernel.op is Op.DERIVATIVE else answer.derivative / dy
    formulas = activations.get(kernel.activation).formulas
    _, storage = residuals.split(kernel.strategy)
    weaknesses = allowance.weaknesses_of(kernel)
    regions = allowance.regions(weaknesses, z)
    error = slope.error(derivative)
    if storage:
        _check_kept(kernel, derivative, z)
    else:
        wrong = allowance.exceeding(kernel, derivative, slope, z)
        if wrong.any():
            evidence = Evidence(kernel, z, dy, derivative, slope.nearest, output.nearest, wrong)
            raise refusal.wrong_derivative(evidence, slope, answer.raised)
        if slope.slack is None:
            allowance.check_weaknesses(kernel, derivative, error, z)
    if answer.y is not None:
        refusal.check_form(kernel, answer.y, z)
        excused = regions[Flaw.OVERFLOWS] & np.isnan(answer.y) & (answer.raised is not None)
        stated = STATED_ULP * allowance.factor(formulas.weaknesses, z)
        flushed = allowance.flushed(kernel, answer.y, output, z, formulas.weaknesses)
        wrong = ~(excused | flushed) & (output.error(answer.y) > stated)
        if wrong.any():
            raise refusal.wrong_output(kernel, z, answer.y, output, wrong, answer.raised)
    worst = refusal.worst_place(error, z)
    largest = float(error[worst]) if np.isfinite(error[worst]) else None
    known = [*(weakness.why for weakness in weaknesses), *([storage.rounds] if storage else [])]
    flushes = backends.catalogue()[kernel.backend].flushes
    if flushes and np.any(error[allowance.flushed(kernel, derivative, slope, z, weaknesses)] > STATED_ULP):
        known.append(flushes)
    return Check(
        kernel,
        largest,
        float(z[worst]),
        tuple(known),
        digits=slope.digits,
        by_band=tuple(_by_band(z, error)),
        kept_bytes=residual_bytes(kernel.at(1)),
        moved_bytes=bytes_moved(kernel.at(1)),
    )


def _by_band(z: Array, error: Array) -> Iterator[float | None]:
    """Yield the largest error of each band of z, in three digits; None for inf."""
    for low, high in BANDS:
        inside = (z > low) & (z <= high) if high <= 0 else (z >= low) & (z < high)
        inside &= ~((z == 0) & (high <= 0))
        largest = float(error[inside].max(initial=0.0))
        yield float(f"{largest:.3g}") if math.isfinite(largest) else None


def _check_kept(kernel: Kernel, derivative: Array, z: Array) -> None:
    """Refuse a strategy that does not compute its formula on what it keeps narrowly, with the weaknesses it has there.

    Those are of z, or of z as it is kept, where that is.
    """
    forward = activations.get(kernel.activation).formulas.weaknesses
    expected, at = kept.expected(kernel, z, 2 * STATED_ULP * allowance.factor(forward, z))
    wrong = np.logical_and.reduce(
        [allowance.exceeding(kernel, derivative, each, place) for each in expected for place in (z, at)]
    )
    if wrong.any():
        error = np.where(wrong, expected[0].error(derivative), -1.0)
        worst = refusal.worst_place(error, z)
        what = "g' from what is kept"
        raise refusal.refused(kernel, what, z[worst], derivative[worst], expected[0].nearest[worst], error[worst])
