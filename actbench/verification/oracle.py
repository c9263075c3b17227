"""The truth about a kernel: its error against mpmath, in units in the last place.

A wrong kernel has no speed, so every kernel of a plan is checked before anything is timed. The truth is the derivative
of the activation's *definition*, in arithmetic so wide that it is exact to any format's precision; the formulas under
test have no part in it. At a kink it is what the activation declares. Where it is not known, a kernel is not checked,
and at how many z that is so belongs to the `Check`; of an activation of which next to nothing is known none passes.

A strategy must be within `STATED_ULP` of the truth everywhere, except where its declared weaknesses say that it is
not; there it must be wrong in just the way declared:

* ``cancels``: the absolute error stays below ``STATED_ULP * eps``, and somewhere exceeds what is stated elsewhere;
* ``overflows``: the call raises, or returns 0, inf or NaN;
* ``amplifies``: the error stays below ``STATED_ULP`` times the declared factor;
* ``merges``: the result is g' at the kink;
* ``inaccurate``: the result is a number, off by any amount or by so many ULP as declared, and somewhere by more than is
  stated elsewhere.

A backend may be known to flush denormal numbers: its results may then be off by a few of the smallest normal numbers,
and are not looked at where z itself is smaller. The `Check` lists that with the weaknesses.

A strategy that keeps its residuals narrowly is held to its formula on what is kept (`actbench.verification.kept`); its
`Check` has the error against the truth, as every other: the price of the narrow type.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np

from actbench.errors import BenchmarkError, WrongKernelError
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.overhead import Rung
from actbench.kernels.subject import Subject
from actbench.model.checks import BANDS, STATED_ULP, Check
from actbench.model.names import Dtype
from actbench.verification import allowance, causes, refusal
from actbench.verification.calls import check_calls
from actbench.verification.elements import settle
from actbench.verification.evaluation import Evaluate, Evaluation
from actbench.verification.examination import Examination
from actbench.verification.points import grid, points
from actbench.verification.truth import Array, Truth, dependence, residuals_at, slopes_at, truth_at, why_unknown

__all__ = [
    "Evaluate",
    "Evaluation",
    "Truth",
    "check",
    "check_calls",
    "grid",
    "points",
    "residuals_at",
    "settle",
    "slopes_at",
    "truth",
    "truth_at",
]

STEEP = "what is rounded on the way is multiplied where g' is steep, or near a root"
"""What is said of a kernel of the user's that is as right as its arithmetic allows, where no weakness is declared."""

FACTORS = np.array([1.0, -2.0, 2.0, -1.0])
"""Upstream gradients by which nothing is rounded, one after the other."""

MOST_STRETCHES = 4
"""Into how many stretches the z are put where g' is not known."""

LEAST_KNOWN = 0.1
"""Of the z where a kernel is looked at: where g' is known at fewer, anything could pass."""


@cache
def truth(activation: Activation, dtype: Dtype) -> tuple[Truth, Truth]:
    """Return g' and y where kernels are checked; `BenchmarkError` where next to nothing is known of g'."""
    slope, output = truth_at(activation, points(activation, dtype))
    if np.mean(slope.known) < LEAST_KNOWN:
        raise BenchmarkError(
            f"g' of {activation.name} is known at {np.count_nonzero(slope.known)} of {slope.known.size} z: "
            f"{why_unknown(activation)}"
        )
    return slope, output


def check(subject: Subject, evaluate: Evaluate) -> Check:
    """Hold what is timed to what it says it does, a kernel to the truth; `WrongKernelError` says what it does."""
    match subject:
        case Kernel():
            return _check_kernel(subject, evaluate)
        case Rung():
            z = grid(subject.dtype)
            finite = z[np.abs(z) < np.sqrt(np.finfo(z.dtype).max) / 2]
            return subject.check(finite, evaluate(subject.identity, finite, finite).derivative)
        case _:
            raise TypeError(f"{subject!r} computes nothing")


def _check_kernel(kernel: Kernel, evaluate: Evaluate) -> Check:
    """Hold a kernel to the truth; `WrongKernelError` names the worst z when it is not what it says it is."""
    storage = kernel.storage
    if dependent := dependence(kernel.activation, kernel.strategy):
        raise WrongKernelError(f"{kernel.id} is wrong: {dependent}")
    z = points(kernel.activation, kernel.dtype)
    call = Examination.of_call(kernel, evaluate, z, np.resize(FACTORS, z.size), truth(kernel.activation, kernel.dtype))
    slope = call.slope
    refusal.check_form(kernel, call.answer.derivative, z)
    derivative, weaknesses = call.derivative, kernel.weaknesses
    error = slope.error(derivative)
    wrong = call.wrong_derivative()
    if wrong.any():
        raise refusal.wrong_kept(call, wrong) if storage else refusal.wrong_derivative(call, wrong)
    if slope.digits is None and not storage:
        allowance.check_weaknesses(kernel, derivative, error, z)
    if call.answer.y is not None:
        refusal.check_form(kernel, call.answer.y, z)
        wrong = call.wrong_output()
        if wrong.any():
            raise refusal.wrong_output(call, call.answer.y, wrong)
    worst = refusal.worst_place(error, z)
    largest = float(error[worst]) if np.isfinite(error[worst]) else None
    known = [*(weakness.why for weakness in weaknesses), *([storage.rounds] if storage else [])]
    off = (error > allowance.allowed(weaknesses, z)) & ~allowance.declared(weaknesses, z)
    if off.any() and not (storage or kernel.is_built_in):
        known.append(
            f"not declared: {causes.rounding(z[off], derivative[off], slope.nearest[off], error[off]) or STEEP}"
        )
    flushes = kernel.backend.flushes
    if flushes and np.any(error[allowance.flushed(kernel, derivative, slope, z, weaknesses)] > STATED_ULP):
        known.append(flushes)
    return Check(
        kernel.identity,
        largest,
        float(z[worst]),
        tuple(known),
        digits=slope.digits,
        by_band=tuple(_by_band(z, error)),
        points=z.size,
        unknown=int(np.count_nonzero(~slope.known)),
        unknown_at=tuple(_stretches(z, ~slope.known)),
        kept_bytes=kernel.kept_bytes,
        moved_bytes=kernel.moved_bytes,
        preallocates=kernel.backend.preallocates,
    )


def _stretches(z: Array, there: Array) -> Iterator[tuple[float, float]]:
    """Yield the ends of the stretches of z where something is so, from the lowest: the widest gaps set them apart."""
    order = np.sort(z.astype(np.float64))
    places = np.flatnonzero(np.isin(order, z[there].astype(np.float64)))
    gaps = np.diff(places)
    widest = np.argsort(-gaps, kind="stable")[: MOST_STRETCHES - 1]
    for stretch in np.split(places, np.sort(widest[gaps[widest] > 1]) + 1):
        if stretch.size:
            yield float(order[stretch[0]]) + 0, float(order[stretch[-1]]) + 0


def _by_band(z: Array, error: Array) -> Iterator[float | None]:
    """Yield the largest error of each band of z, in three digits; None for inf."""
    for low, high in BANDS:
        inside = (z > low) & (z <= high) if high <= 0 else (z >= low) & (z < high)
        inside &= ~((z == 0) & (high <= 0))
        largest = float(error[inside].max(initial=0.0))
        yield float(f"{largest:.3g}") if math.isfinite(largest) else None
