"""The oracle: the error of every kernel against mpmath, in units in the last place.

A wrong kernel has no speed, so every kernel of a plan is checked before anything is timed. The truth is the derivative
of the activation's *definition*, in arithmetic that is exact to the precision of any format; it does not use the
formulas under test. At a kink the truth is what the activation declares. Where the truth is unknown, a kernel is not
checked, and its `Check` counts these z. If next to nothing is known of an activation, none of its kernels passes.

A strategy must be within `STATED_ULP` of the truth everywhere, except where it declares a weakness. There, its error
must have the declared form:

* ``cancels``: the absolute error stays below ``STATED_ULP * eps``, and exceeds `STATED_ULP` somewhere;
* ``overflows``: the call raises, or returns 0, inf or NaN;
* ``amplifies``: the error stays below ``STATED_ULP`` times the declared factor;
* ``merges``: the result is g' at the kink;
* ``inaccurate``: the result is a number, its error is unlimited or within the declared ULP, and it exceeds
  `STATED_ULP` somewhere.

A backend may be known to flush denormal numbers. Its results may then be off by a few of the smallest normal numbers,
and are not checked where z itself is smaller. The `Check` lists this with the weaknesses.

What a framework ships is bound by no declaration: it is described, and seldom refused (`verification.shipped`).

A strategy with narrow residuals is compared with its formula on those residuals (`actbench.verification.kept`). Its
`Check` states the error against the truth, as every other does: the price of the narrow type.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from actbench.errors import BenchmarkError, WrongKernelError
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.overhead import Rung
from actbench.kernels.subject import Subject
from actbench.model.checks import STATED_ULP, Check
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import limits
from actbench.verification import allowance, causes, declared_range, flaws, gated, refusal, rows, shipped
from actbench.verification.arguments import FACTORS
from actbench.verification.bands import by_band
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

STEEP = "rounding of intermediates is amplified where g' is steep, or near a root"
"""Remark for a user's kernel that is as accurate as its arithmetic allows and declares no weakness."""

MOST_STRETCHES = 4
"""Largest number of stretches in which the z with unknown g' are listed."""

LEAST_KNOWN = 0.1
"""Smallest part of the checked z at which g' must be known; with fewer, any kernel could pass."""


@cache
def truth(activation: Activation, dtype: Dtype) -> tuple[Truth, Truth]:
    """Return g' and y at the checked z; `BenchmarkError` where g' is known at next to none of them."""
    slope, output = truth_at(activation, points(activation, dtype))
    if np.mean(slope.known) < LEAST_KNOWN:
        symbol = (Op.SECOND if activation.first else Op.DERIVATIVE).symbol
        raise BenchmarkError(
            f"{symbol} of {activation.name} is known at {np.count_nonzero(slope.known)} of {slope.known.size} z: "
            f"{why_unknown(activation)}"
        )
    return slope, output


def check(subject: Subject, evaluate: Evaluate) -> Check:
    """Compare a kernel, or a rung of the overhead ladder, with its declaration; `WrongKernelError` states the fault."""
    match subject:
        case Kernel() if subject.is_gated:
            return gated.check(subject, evaluate)
        case Kernel() if subject.is_row:
            return rows.check(subject, evaluate)
        case Kernel():
            return _check_kernel(subject, evaluate)
        case Rung():
            z = grid(subject.dtype)
            finite = z[np.abs(z) < np.sqrt(float(limits(z.dtype).max)) / 2]
            return subject.check(finite, evaluate(subject.identity, finite, finite).derivative)
        case _:
            raise TypeError(f"{subject!r} computes nothing")


def _check_kernel(kernel: Kernel, evaluate: Evaluate) -> Check:
    """Compare a kernel with the truth; `WrongKernelError` names the worst z where it breaks its declaration."""
    storage = kernel.storage
    if kernel.has_formula and (dependent := dependence(kernel.activation, kernel.strategy)):
        raise WrongKernelError(f"{kernel.id} is wrong: {dependent}")
    z = points(kernel.activation, kernel.dtype)
    call = Examination.of_call(kernel, evaluate, z, np.resize(FACTORS, z.size), truth(kernel.activation, kernel.dtype))
    slope = call.slope
    refusal.check_form(kernel, call.answer.derivative, z)
    derivative, weaknesses = call.derivative, kernel.weaknesses
    error = slope.error(derivative)
    wrong = call.wrong_derivative()
    if wrong.any():
        plain = storage or kernel.is_shipped
        raise refusal.wrong_kept(call, wrong) if plain else refusal.wrong_derivative(call, wrong)
    _require_range(kernel, z, call.output)
    if slope.digits is None and not (storage or kernel.is_shipped):
        allowance.check_weaknesses(kernel, derivative, error, z, call.errors_at_roots)
    if call.answer.y is not None:
        refusal.check_form(kernel, call.answer.y, z)
        wrong = call.wrong_output()
        if wrong.any():
            raise refusal.wrong_output(call, call.answer.y, wrong)
    worst = refusal.worst_place(error, z)
    largest = float(error[worst]) if np.isfinite(error[worst]) else None
    known = [*(weakness.why for weakness in weaknesses), *([storage.rounds] if storage else [])]
    if kernel.is_shipped and (remark := shipped.remark(kernel, derivative, slope, z)):
        known.append(remark)
    off = (error > flaws.allowed(weaknesses, z)) & ~flaws.declared(weaknesses, z)
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
        by_band=tuple(by_band(z, error)),
        points=z.size,
        unknown=int(np.count_nonzero(~slope.known)),
        unknown_at=tuple(_stretches(z, ~slope.known)),
        kept_bytes=kernel.kept_bytes,
        alive_bytes=kernel.alive_bytes,
        moved_bytes=kernel.moved_bytes,
        preallocates=kernel.preallocates,
        compiler=kernel.compiler,
    )


def _require_range(kernel: Kernel, z: Array, y: Truth) -> None:
    """Raise `WrongKernelError` where y is outside of the range that is declared; of several z it names the smallest."""
    order = np.argsort(np.abs(z), kind="stable")
    declared_range.require(kernel, y.at(order), y.known[order], lambda place: f"at z = {z[order][place]:.6g}")


def _stretches(z: Array, there: Array) -> Iterator[tuple[float, float]]:
    """Yield the ends of the stretches of z that `there` selects, in ascending order; the widest gaps separate them."""
    order = np.sort(z.astype(np.float64))
    places = np.flatnonzero(np.isin(order, z[there].astype(np.float64)))
    gaps = np.diff(places)
    widest = np.argsort(-gaps, kind="stable")[: MOST_STRETCHES - 1]
    for stretch in np.split(places, np.sort(widest[gaps[widest] > 1]) + 1):
        if stretch.size:
            yield float(order[stretch[0]]) + 0, float(order[stretch[-1]]) + 0
