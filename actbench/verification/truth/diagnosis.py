"""Diagnosis of a wrong derivative: a guess, in words, that explains all of its results.

A derivative may expect the output y where it gets z, apply g twice, return g in place of g', or have the wrong sign or
factor. Each of these can be computed and compared with the results at every z of the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench import backends
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.model.names import Dtype, Op
from actbench.model.rule import Dialect
from actbench.verification.truth import ambiguity, truth_at
from actbench.verification.truth.differences import over_arrays

Array = NDArray[Any]

TELLING = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
"""Round z, at which a wrong result can be verified with pencil and paper."""

TOLERANCE = {Dtype.BFLOAT16: 5e-2, Dtype.FLOAT16: 5e-3, Dtype.FLOAT32: 1e-4, Dtype.FLOAT64: 1e-9}
"""Allowed error of a guess, relative to g' and to the size of g' near 0."""

NEAR = 30.0
"""|z| up to which a guess must give numbers; beyond, formulas may overflow."""

FAR = 1e-6
"""Least distance of a wrong factor from 0 and from 1."""

SMALL = 2.0
"""|z| within which the size of g' near 0 is measured."""

TRIED = 16
"""Number of z, about, for which a second z with the same y is searched, beside the round ones."""

SIGNIFICANT = 1e-3
"""Size of g' from which on a factor can be determined."""


WRONG_INPUT = (
    "it seems to expect the output y, not z",
    "it seems to be g' of the output y, not of z: g is applied twice",
    "it seems to expect z, not the output y: g is applied twice",
)
"""Guesses that explain all results, also those that are no numbers."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Inputs and results of a kernel, and the truth: arrays of one length."""

    kernel: Kernel
    called_at: Callable[[Array], Array]
    """g' by the kernel at other z, in another call."""
    z: Array
    dy: Array
    computed: Array
    """g'; where the kernel returns dy * g', the result divided by dy."""
    slope: Array
    output: Array
    wrong: Array

    def at(self, points: Sequence[float]) -> Evidence:
        """Return the evidence at these z only."""
        there = np.isin(self.z, points)
        arrays = (self.z, self.dy, self.computed, self.slope, self.output, self.wrong)
        return Evidence(self.kernel, self.called_at, *(array[there] for array in arrays))


def ambiguous(evidence: Evidence) -> str:
    """Return, for a kernel that keeps only y, which two z with different g' share one y; or ""."""
    kept, _ = _formula(evidence)
    if kept != ("y",):
        return ""
    size = np.abs(evidence.slope.astype(np.float64))
    largest = float(np.max(size[np.isfinite(size) & (np.abs(evidence.z) <= SMALL)], initial=0.0))
    tried = [at for z in TELLING for at in np.flatnonzero((evidence.z == z) & evidence.wrong)]
    rest = np.flatnonzero(evidence.wrong & (np.abs(evidence.z) <= ambiguity.NEAR))
    for at in [*tried, *rest[:: max(1, rest.size // TRIED)]]:
        pair = ambiguity.pair(evidence.kernel.activation, float(evidence.z[at]), float(evidence.slope[at]), largest)
        if pair is not None:
            (one, other), (before, after) = pair.z, pair.slopes
            return (
                f"y is not enough: z = {one + 0:.9g} and z = {other + 0:.9g} both give y = {pair.y + 0:.9g}, with "
                f"{evidence.kernel.op.symbol} = {before + 0:.9g} and {after + 0:.9g}"
            )
    return ""


def guess(evidence: Evidence) -> str:
    """Return what the kernel seems to compute instead of g'; "" where no guess fits."""
    return next((words for words, fits in _guesses(evidence) if fits), "")


def simplest_wrong_z(evidence: Evidence) -> int | None:
    """Return the index of the simplest z where the kernel is wrong; None where it is right at all round z."""
    places = (np.flatnonzero((evidence.z == z) & evidence.wrong) for z in TELLING)
    return next((int(at[-1]) for at in places if at.size and np.isfinite(evidence.computed[at[-1]])), None)


def _guesses(evidence: Evidence) -> Iterator[tuple[str, bool]]:
    """Yield guesses in words, and whether they fit, the likeliest first."""
    computed, slope, output, dy = (
        values.astype(np.float64) for values in (evidence.computed, evidence.slope, evidence.output, evidence.dy)
    )
    kept, formula = _formula(evidence)
    if kept == ("z",) and evidence.kernel.op is not Op.SECOND:
        yield WRONG_INPUT[0], formula is not None and _right(evidence, formula(output))
        yield WRONG_INPUT[1], all(_applied_twice(part) for part in (evidence.at(TELLING), evidence))
    if kept == ("y",):
        yield WRONG_INPUT[2], formula is not None and _right(evidence, formula(evidence.z.astype(np.float64)))
    returned = "g', not g''" if evidence.kernel.op is Op.SECOND else "g, not g'"
    yield f"it seems to return {returned}", _same(evidence, computed, output)
    yield "it seems to have the wrong sign", _same(evidence, computed, -slope)
    if evidence.kernel.op.takes_dy:
        yield "it seems to leave out the factor dy", _same(evidence, computed * dy, slope)
        yield "it seems to multiply by dy twice", _same(evidence, computed, slope * dy)
    factor = _factor(computed, slope)
    far = min(abs(factor), abs(factor - 1)) > FAR
    yield f"it seems to be off by a factor of {factor:.9g}", far and _same(evidence, computed, factor * slope)


def one_sided(evidence: Evidence) -> str:
    """Return on which side of 0 the kernel is right, if it is wrong on the other side only; or ""."""
    for side, words in ((1, "it is right for z > 0 only"), (-1, "it is right for z < 0 only")):
        there = evidence.z * side > 0
        if there.any() and not evidence.wrong[there].any() and evidence.wrong[~there].mean() > 1 / 2:
            return words
    return ""


def _applied_twice(evidence: Evidence) -> bool:
    """Return whether the result is g' of the output. That takes mpmath half a second, so a few z are tried first."""
    there = _slope_at(evidence.kernel.activation, evidence.output.astype(np.float64))
    return _same(evidence, evidence.computed.astype(np.float64), there)


def _slope_at(activation: Activation, z: Array) -> Array:
    """Return g' at other z; inf where z is not finite."""
    finite = np.isfinite(z)
    slope = np.full(z.size, np.inf)
    slope[finite] = truth_at(activation, z[finite])[0].nearest
    return slope


def _right(evidence: Evidence, other: Array) -> bool:
    return _same(evidence, other, evidence.slope.astype(np.float64))


def _same(evidence: Evidence, one: Array, other: Array) -> bool:
    """Return whether two results agree at all z where both are numbers; near 0 they must be numbers."""
    tolerance = TOLERANCE[evidence.kernel.dtype]
    near = np.abs(evidence.z) <= NEAR
    with np.errstate(all="ignore"):
        size = np.abs(evidence.slope.astype(np.float64))
        largest = np.max(size[np.abs(evidence.z) <= SMALL], initial=0.0)
        close = np.abs(one - other) <= tolerance * (np.maximum(size, np.abs(other)) + largest)
        numbers = np.isfinite(one) & np.isfinite(other)
    return bool(np.all(close[numbers]) and np.all(numbers[near]))


def _factor(computed: Array, slope: Array) -> float:
    """Return the ratio of the result to g', where g' is neither small nor large."""
    with np.errstate(all="ignore"):
        ratio = computed / slope
        well = np.isfinite(ratio) & (np.abs(slope) > SIGNIFICANT) & (np.abs(slope) < 1 / SIGNIFICANT)
    return float(np.median(ratio[well])) if well.any() else np.nan


def _formula(evidence: Evidence) -> tuple[tuple[str, ...], Callable[..., Array] | None]:
    """Return the residuals of the kernel's derivative, and the derivative over arrays of float64.

    A kernel that is no formula is called again, in its dtype, if it keeps z alone; otherwise its derivative is None.
    """
    kernel = evidence.kernel
    if not kernel.has_formula:
        kept = tuple(operand.name for operand in kernel.residuals)
        return kept, evidence.called_at if kept == ("z",) else None
    array = kernel.formula(Dialect.ARRAY, backends.namespace("numpy"))
    scalar = kernel.formula(Dialect.SCALAR, backends.namespace("python"))
    return array.residuals, over_arrays(array.derivative, scalar.derivative)
