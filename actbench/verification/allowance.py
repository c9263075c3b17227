"""The error that a kernel is allowed, given the weaknesses that its strategy declares; and whether it has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from actbench.errors import WrongKernelError
from actbench.formula import Activation, Flaw, Weakness
from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.names import NARROW
from actbench.model.number_formats import clipped, limits
from actbench.verification import shipped
from actbench.verification.causes import NEXT
from actbench.verification.flaws import allowed, declared, factor, region, regions
from actbench.verification.truth import Array, Truth, truth_at

SMOOTH = 0.75
"""Halving the distance leaves at most this part of the difference of two slopes where g' is smooth; at a kink, all."""

LOST = 1 / 16
"""Smallest normal numbers that a result may lack because an intermediate underflowed to 0."""

FLUSHED = 8.0
"""Smallest normal numbers, times z^2 where |z| is from 1 to `MULTIPLIED`: below, an intermediate may be denormal.

That of tanh is multiplied by 4, as 4 e^-2|z|, by 8 in its second derivative, that of GELU by z, as z phi(z), and that
of tanh-GELU by 230 at z = -10.
"""

MULTIPLIED = 16.0
"""The largest |z| at which a Gaussian of float32 is near the smallest normal number, and the exponential of a cubic."""

LOSE_DIGITS = frozenset({Flaw.CANCELS, Flaw.INACCURATE})

ErrorsWithin = Callable[[Callable[[Array], Array]], Array]
"""A function of a region, itself a function of z, that gives the errors there."""


def check_weaknesses(kernel: Kernel, derivative: Array, error: Array, z: Array, errors_at_roots: ErrorsWithin) -> None:
    """Raise `WrongKernelError` for a strategy that declares a weakness which it does not have.

    Digits may be lost beside the roots of g' alone, where `errors_at_roots` gives the errors, in ULP, within a region.
    In 16 bits a weakness is a bound alone: a backend that computes in float32 and rounds once does not show it.
    """
    if kernel.dtype in NARROW:
        return
    weaknesses = kernel.weaknesses
    overflows = regions(weaknesses, z)[Flaw.OVERFLOWS]
    number = overflows & np.isfinite(derivative) & (derivative != 0)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            continue  # the factor is a bound, which not every format reaches
        if weakness.flaw is Flaw.OVERFLOWS and (finite := number & region(weakness, z)).any():
            largest = np.argmax(np.where(finite, np.abs(derivative), 0.0))
            gives = f": at z = {z[largest]:.9g} it gives {derivative[largest]:.3g}"
            raise undeclared(kernel, weakness, f"{gives}: narrow its where=")
        there = region(weakness, z) & ~(overflows & (weakness.flaw is Flaw.CANCELS))
        if np.any(error[there] > STATED_ULP):
            continue
        at_roots = errors_at_roots(partial(region, weakness)) if weakness.flaw in LOSE_DIGITS else np.array([])
        if not np.any(at_roots > STATED_ULP):
            raise undeclared(kernel, weakness, NOWHERE if at_roots.size or there.any() else NONE_THERE)


def exceeding(kernel: Kernel, derivative: Array, expected: Truth, z: Array, slack: float = 0.0) -> Array:
    """Return where a derivative differs from the expected one by more than the strategy's weaknesses allow at z.

    `slack` is a further allowance, in ULP. What a framework ships is bound by no declaration (`shipped`).
    """
    if kernel.is_shipped:
        return shipped.exceeding(kernel, derivative, expected, z)
    weaknesses = kernel.weaknesses
    there = regions(weaknesses, z)
    beyond = expected.error(derivative) > allowed(weaknesses, z) + slack
    number = np.isfinite(derivative)
    cancels = expected.absolute(derivative) <= STATED_ULP * factor(weaknesses, z) + slack
    excused = there[Flaw.OVERFLOWS] & ~(number & (derivative != 0))
    excused |= there[Flaw.CANCELS] & cancels
    excused |= there[Flaw.MERGES] & _merges(kernel, derivative, z, there[Flaw.MERGES])
    excused |= there[Flaw.INACCURATE] & number & ~np.isfinite(expected.nearest)
    wrong = np.asarray(beyond & ~excused & ~flushed(kernel, derivative, expected, z, weaknesses))
    if not kernel.is_built_in:
        plain = wrong & ~declared(weaknesses, z)
        wrong[plain] = ~_right_nearby(kernel, derivative[plain], expected.at(plain), z[plain], _slopes)
    return wrong


def _right_nearby(
    kernel: Kernel, computed: Array, expected: Truth, z: Array, truth: Callable[[Activation, Array], Truth]
) -> Array:
    """Return where a result is g' (or y) of some z that is at most `STATED_ULP` away, where the truth is smooth.

    Numerical analysis calls such a result backward stable. A formula as published rounds its intermediates, such as
    z^2 in an exponent; where g' is steep or near a root, no formula in this arithmetic has to do better. Built-in
    kernels are held to a stricter bound, and so is a strategy where it declares a weakness. Below the smallest normal
    number no digits are required. Above it, digits may be missing that a denormal intermediate would have lost.
    """
    if kernel.storage is not None or not z.size:
        return np.zeros(z.size, dtype=bool)
    tiny = float(limits(z.dtype).tiny)
    with np.errstate(all="ignore"):
        step = STATED_ULP * np.spacing(np.abs(z))
        far = _pair(kernel, z, step, truth)
        slopes = np.array([expected.nearest, *far], dtype=np.float64)
        computed = computed.astype(np.float64)
        unit = STATED_ULP * expected.ulp
        within = (computed >= slopes.min(axis=0) - unit) & (computed <= slopes.max(axis=0) + unit)
        near = _pair(kernel, z[within], 0.5 * step[within], truth)  # elsewhere it does not matter
        within[within] = np.abs(near[1] - near[0]) <= SMOOTH * np.abs(far[1] - far[0])[within]
        lost = np.where(np.abs(slopes[0]) < tiny, tiny, LOST * tiny)
        within |= np.abs(computed - slopes[0]) < lost
    return np.asarray(within & np.isfinite(computed) & np.isfinite(slopes).all(axis=0))


def _slopes(activation: Activation, z: Array) -> Truth:
    return truth_at(activation, z)[0]


def _outputs(activation: Activation, z: Array) -> Truth:
    return truth_at(activation, z)[1]


def _pair(kernel: Kernel, z: Array, step: Array, truth: Callable[[Activation, Array], Truth]) -> Array:
    """Return the true values at z - step and at z + step, in float64."""
    limit = limits(z.dtype).max
    moved = (clipped((z + side * step).astype(z.dtype), limit) for side in (-1, 1))
    return np.array([truth(kernel.activation, at).nearest for at in moved], dtype=np.float64)


def output_exceeding(kernel: Kernel, y: Array, expected: Truth, z: Array, raised: str | None) -> Array:
    """Return where the y of a step differs from the expected one; a call that raised may lack y where g' overflows."""
    if kernel.is_shipped:
        return shipped.exceeding(kernel, y, expected, z)
    weaknesses = kernel.forward_weaknesses
    excused = regions(kernel.weaknesses, z)[Flaw.OVERFLOWS] & np.isnan(y) & (raised is not None)
    excused |= regions(weaknesses, z)[Flaw.OVERFLOWS] & ~(np.isfinite(y) & (y != 0))
    excused |= flushed(kernel, y, expected, z, weaknesses)
    wrong = np.asarray(~excused & (expected.error(y) > allowed(weaknesses, z)))
    if not kernel.is_built_in:
        plain = wrong & ~declared(weaknesses, z)
        wrong[plain] = ~_right_nearby(kernel, y[plain], expected.at(plain), z[plain], _outputs)
    return wrong


def _merges(kernel: Kernel, derivative: Array, z: Array, there: Array) -> Array:
    """Return where a result is g' at the nearest kink and y rounds to its value at that kink."""
    kinks = kernel.formulas.kinks
    merges = np.zeros(z.size, dtype=bool)
    if kinks and there.any():
        where = np.array([*kinks])
        nearest = np.argmin(np.abs(z[there].astype(np.float64)[:, np.newaxis] - where), axis=1)
        fmt = limits(z.dtype)
        y, at_kink = (_outputs(kernel.activation, at).nearest for at in (z[there], where[nearest].astype(z.dtype)))
        with np.errstate(all="ignore"):
            near = np.abs(y - at_kink) <= NEXT * fmt.eps * np.abs(at_kink) + fmt.tiny
        merges[there] = near & (derivative[there] == np.array([*kinks.values()])[nearest])
    return merges


def flushed(kernel: Kernel, computed: Array, expected: Truth, z: Array, weaknesses: tuple[Weakness, ...]) -> Array:
    """Return where a backend that flushes denormals has an error of a few smallest normal numbers, or reads a denormal.

    That is z, or y where it is kept: the result is then a number, and no more is known of it.
    """
    if not kernel.backend.flushes:
        return np.zeros(z.size, dtype=bool)
    tiny = float(limits(kernel.dtype).tiny)
    with np.errstate(all="ignore"):
        off = expected.error(computed) * expected.ulp
        size = np.abs(z.astype(np.float64))
        lost = FLUSHED * tiny * np.where((size > 1.0) & (size <= MULTIPLIED), size * size, 1.0)
        read = size < tiny
        if any(residual.name == "y" for residual in kernel.residuals):
            y = np.abs(_outputs(kernel.activation, z).nearest.astype(np.float64))
            read |= (y > 0) & (y < tiny) & np.isfinite(computed)
        return np.asarray((off < lost * factor(weaknesses, z)) | read)


NOWHERE = " at any z there that is checked: leave it out, or correct its where="
NONE_THERE = " known to be: none of the z that are checked is there: correct its where="


def undeclared(kernel: Kernel, weakness: Weakness, fact: str = NOWHERE) -> WrongKernelError:
    """Return the error for a kernel that does not have a declared weakness; `fact` shows that, and the way out."""
    return WrongKernelError(f"{kernel.id} is declared to be wrong where '{weakness.why}', but is not{fact}")
