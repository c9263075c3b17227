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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from actbench import activations, backends, overhead, residuals
from actbench.by_name import by_name
from actbench.costs import bytes_moved, residual_bytes
from actbench.errors import WrongKernelError
from actbench.formula import Flaw, Weakness
from actbench.model import BANDS, STATED_ULP, Check, Dtype, Kernel, Op
from actbench.oracle import kept
from actbench.truth import Array, Truth, differences, exact, obstacle, residuals_at, slopes_at, truth_at
from actbench.truth.diagnosis import Evidence, guess, telling

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

MOST = 1e300
"""The largest factor of an error; those that an activation declares may overflow where z is large."""

FLUSHED = 4.0
"""Smallest normal numbers: a result below may come of a denormal intermediate, as tanh's 4 e^-2|z| does."""


SEEN = 10.0
"""|z| that a layer sees: what is wrong there is told before what is wrong beyond."""

NEXT_TO = 1e-6
"""How far from a kink it may show, where g' is known by differences; relative to |z| where that is above 1."""


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
    _check_form(kernel, answer.derivative, z)
    derivative = answer.derivative if kernel.op is Op.DERIVATIVE else answer.derivative / dy
    formulas = activations.get(kernel.activation).formulas
    _, storage = residuals.split(kernel.strategy)
    weaknesses = _weaknesses(kernel)
    regions = _regions(weaknesses, z)
    error = slope.error(derivative)
    if storage:
        _check_kept(kernel, derivative, z)
    else:
        wrong = _off(kernel, derivative, slope, z)
        if wrong.any():
            evidence = Evidence(kernel, z, dy, derivative, slope.nearest, output.nearest, wrong)
            raise _wrong(evidence, slope, answer.raised)
        if slope.slack is None:
            _check_weaknesses(kernel, derivative, error, z)
    if answer.y is not None:
        _check_form(kernel, answer.y, z)
        excused = regions[Flaw.OVERFLOWS] & np.isnan(answer.y) & (answer.raised is not None)
        stated = STATED_ULP * _factor(formulas.weaknesses, z)
        flushed = _flushed(kernel, answer.y, output, z, formulas.weaknesses)
        wrong = ~(excused | flushed) & (output.error(answer.y) > stated)
        if wrong.any():
            raise _wrong_output(kernel, z, answer, output, wrong)
    worst = _worst(error, z)
    largest = float(error[worst]) if np.isfinite(error[worst]) else None
    known = [*(weakness.why for weakness in weaknesses), *([storage.rounds] if storage else [])]
    flushes = backends.catalogue()[kernel.backend].flushes
    if flushes and np.any(error[_flushed(kernel, derivative, slope, z, weaknesses)] > STATED_ULP):
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


def _check_weaknesses(kernel: Kernel, derivative: Array, error: Array, z: Array) -> None:
    """Refuse a strategy that has not the weaknesses which are declared."""
    weaknesses = _weaknesses(kernel)
    overflows = _regions(weaknesses, z)[Flaw.OVERFLOWS]
    number = overflows & np.isfinite(derivative) & (derivative != 0)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            continue  # the factor is a bound, and not in every format reached
        if weakness.flaw is Flaw.OVERFLOWS and (number & _region(weakness, z)).any():
            raise _idle(kernel, weakness)
        own = _region(weakness, z) & ~(overflows & (weakness.flaw is Flaw.CANCELS))
        if not np.any(error[own] > STATED_ULP):
            raise _idle(kernel, weakness)


def _check_kept(kernel: Kernel, derivative: Array, z: Array) -> None:
    """Refuse a strategy that does not compute its formula on what it keeps narrowly, with the weaknesses it has there.

    Those are of z, or of z as it is kept, where that is.
    """
    forward = activations.get(kernel.activation).formulas.weaknesses
    expected, at = kept.expected(kernel, z, 2 * STATED_ULP * _factor(forward, z))
    wrong = np.logical_and.reduce([_off(kernel, derivative, each, place) for each in expected for place in (z, at)])
    if wrong.any():
        error = np.where(wrong, expected[0].error(derivative), -1.0)
        worst = _worst(error, z)
        what = "g' from what is kept"
        raise _refused(kernel, what, z[worst], derivative[worst], expected[0].nearest[worst], error[worst])


def _weaknesses(kernel: Kernel) -> tuple[Weakness, ...]:
    strategy, _ = residuals.split(kernel.strategy)
    return activations.get(kernel.activation).strategies[strategy].weaknesses


def _off(kernel: Kernel, derivative: Array, expected: Truth, z: Array) -> Array:
    """Return where a derivative is not what is expected, with the weaknesses that the strategy has at z."""
    weaknesses = _weaknesses(kernel)
    kinks = activations.get(kernel.activation).formulas.kinks
    regions = _regions(weaknesses, z)
    stated = STATED_ULP * _factor(weaknesses, z)
    error = expected.error(derivative)
    flushed = _flushed(kernel, derivative, expected, z, weaknesses)
    wrong = ~(regions[Flaw.CANCELS] | regions[Flaw.OVERFLOWS] | flushed) & (error > stated)
    wrong |= regions[Flaw.CANCELS] & ~regions[Flaw.OVERFLOWS] & (expected.absolute(derivative) > stated)
    wrong &= ~(regions[Flaw.MERGES] & (derivative == _at_next_kink(kinks, z)))
    number = regions[Flaw.OVERFLOWS] & np.isfinite(derivative) & (derivative != 0)
    return np.asarray(wrong | number & (error > stated))


def _factor(weaknesses: tuple[Weakness, ...], z: Array) -> Array:
    """Return how many times larger than stated an error may be."""
    total = np.ones(z.size)
    for weakness in weaknesses:
        if weakness.flaw is Flaw.AMPLIFIES:
            declared = np.nan_to_num(_declared(weakness, z), nan=0.0)  # infinitely many, but not here: none
            total += np.clip(declared, 0.0, MOST)
    return total


def _at_next_kink(kinks: Mapping[float, float], z: Array) -> Array:
    """Return g' at the kink that is nearest to each z."""
    where = np.array([*kinks])
    if not where.size:
        return np.full(z.size, np.nan)
    nearest = np.argmin(np.abs(z.astype(np.float64)[:, np.newaxis] - where), axis=1)
    return np.asarray(np.array([*kinks.values()])[nearest])


def _regions(weaknesses: tuple[Weakness, ...], z: Array) -> dict[Flaw, Array]:
    regions = {flaw: np.zeros(z.size, dtype=bool) for flaw in Flaw}
    for weakness in weaknesses:
        if weakness.flaw is not Flaw.AMPLIFIES:
            regions[weakness.flaw] |= _region(weakness, z)
    return regions


def _region(weakness: Weakness, z: Array) -> Array:
    return np.asarray(_declared(weakness, z), dtype=bool)


def _declared(weakness: Weakness, z: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(weakness.where(z.astype(np.float64), np.finfo(z.dtype)))


def _flushed(kernel: Kernel, computed: Array, expected: Truth, z: Array, weaknesses: tuple[Weakness, ...]) -> Array:
    """Return where a result is off by next to nothing, or z is, on a backend that takes such numbers for 0."""
    if not backends.catalogue()[kernel.backend].flushes:
        return np.zeros(z.size, dtype=bool)
    tiny = float(np.finfo(kernel.dtype).tiny)
    with np.errstate(all="ignore"):
        off = expected.error(computed) * expected.ulp
        return np.asarray((off < FLUSHED * tiny * _factor(weaknesses, z)) | (np.abs(z) < tiny))


def _idle(kernel: Kernel, weakness: Weakness) -> WrongKernelError:
    return WrongKernelError(
        f"{kernel.id} is declared to be wrong where '{weakness.why}', but is not: correct the declaration"
    )


def _check_form(kernel: Kernel, array: Array, z: Array) -> None:
    if array.dtype != kernel.dtype:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns {array.dtype} where {kernel.dtype} was asked for")
    if array.shape != z.shape:
        raise WrongKernelError(f"{kernel.id} is wrong: it returns shape {array.shape} for an input of shape {z.shape}")


def _worst(error: Array, z: Array) -> int:
    """Return where the error is largest; of several such z the one nearest to 0."""
    return int(np.lexsort((np.abs(z), -error))[0])


def _plainest(error: Array, z: Array, wrong: Array) -> int:
    """Return where it is worst among the z that layers see, where it is wrong there; else where it is worst."""
    seen = wrong & (np.abs(z) <= SEEN)
    return _worst(np.where(seen, error, -1.0) if seen.any() else error, z)


def _wrong(evidence: Evidence, slope: Truth, raised: str | None) -> WrongKernelError:
    """Say what a wrong derivative looks like, at a z where that shows; else how wrong it is, where layers see it.

    What the call raised is told where it left no number.
    """
    error = np.where(evidence.wrong, slope.error(evidence.computed), -1.0)
    worst = _worst(error, evidence.z)
    words, at = _sides(evidence.kernel.activation, float(evidence.z[worst])), worst
    words = words or _raised(evidence.computed[worst], raised)
    if not words and (words := guess(evidence)) and (small := telling(evidence)) is not None:
        at = small
    if not words:
        at = _plainest(error, evidence.z, evidence.wrong)
    return _refused(evidence.kernel, "g'", evidence.z[at], evidence.computed[at], slope.nearest[at], error[at], words)


def _sides(activation: str, z: float) -> str:
    """Say what is the matter with g itself at z, which is then not the kernel's fault."""
    chosen = activations.get(activation)
    for at in (0.0, z) if abs(z) < NEXT_TO else (z,):
        if not any(abs(at - kink) <= NEXT_TO * max(1.0, abs(at)) for kink in chosen.formulas.kinks):
            exactly = obstacle(activation) is None
            found = exact.sides(chosen, at) if exactly else differences.sides(differences.forward(chosen), at)
            if words := found.words(at):
                return words
    return ""


def _wrong_output(kernel: Kernel, z: Array, answer: Evaluation, expected: Truth, wrong: Array) -> WrongKernelError:
    assert answer.y is not None  # noqa: S101  # it is wrong
    error = np.where(wrong, expected.error(answer.y), -1.0)
    worst = _worst(error, z)
    words = _raised(answer.y[worst], answer.raised)
    return _refused(kernel, "y", z[worst], answer.y[worst], expected.nearest[worst], error[worst], words)


def _raised(computed: Any, raised: str | None) -> str:
    """Return words for a result that is no number because the call raised, or none."""
    return f"it raised {raised}" if raised and np.isnan(computed) else ""


def _refused(  # noqa: PLR0913, PLR0917  # all of it is said
    kernel: Kernel, what: str, z: Any, computed: Any, expected: Any, error: float, words: str = ""
) -> WrongKernelError:
    extent = f": {words}" if words else f" ({error:.3g} ULP; {STATED_ULP:g} are allowed)"
    return WrongKernelError(
        f"{kernel.id} is wrong: at z = {z + 0:.9g} it gives {computed:.9g} where {what} = {expected:.9g}{extent}"
    )
