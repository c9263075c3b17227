"""Explanations of small errors: which kind of rounding causes them, and how to declare that as a weakness."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from actbench.model.number_formats import limits
from actbench.verification.truth import Array

FEW_EPS = 8.0
"""The largest absolute error of a cancellation, in eps of the format."""

SOME_EPS = 0.01
"""A cancellation reaches at least this absolute error, in eps; smaller errors near g' = 0 are underflow."""

TAIL = 0.1
"""Size of g' below which -log |g'| is about the exponent from which g' is computed."""

SPREAD = 1.3
"""Factor by which an exponent may differ from a power of z."""

TIMES = 2.0
"""ULP that rounding an exponent costs at most, per unit of the exponent: it is rounded once or twice."""

GROWS = 0.15
"""The largest error, per unit of the exponent, is at least this where errors grow with the exponent."""

NEAR_TINY = 1024.0
"""A factor of g' may underflow where g' is below this multiple of the smallest normal number."""

RIGHT = 24
"""Number of right results that separate two groups with different causes."""

FEW = 4
"""Number of results that are needed to see how the largest errors grow."""

NEXT = 16.0
"""Distance from a kink, in eps, within which y may round to its value at the kink."""

UNDERFLOWS = (
    "an intermediate underflows or overflows: compute it another way, or declare Weakness(Flaw.OVERFLOWS, why, where)"
)

FEW_DIGITS = (
    "an intermediate below the smallest normal number has few digits: compute it another way, or declare "
    "Weakness(Flaw.AMPLIFIES, why, factor)"
)

LOSSY = "it is nearly right: to time it anyway, declare Weakness(Flaw.INACCURATE, why, where)"

POWERS: Mapping[int, str] = {1: "abs(z)", 2: "z * z", 3: "abs(z) ** 3"}
"""The known exponents, as code."""


def underflow(z: Array, computed: Array, slope: Array) -> Array:
    """Return where a result is 0, g' is not, and cancellation does not explain it: an intermediate underflows.

    A run of zeros that begins where g' is about eps is explained by cancellation as a whole.
    """
    order = np.argsort(z, kind="stable")
    zero = ((computed == 0) & (slope != 0))[order]
    size = np.abs(slope[order].astype(np.float64))
    least = SOME_EPS * float(limits(z.dtype).eps)
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]]).astype(np.int8))).reshape(-1, 2)
    there = np.zeros(z.size, dtype=bool)
    for start, end in bounds:
        if size[start:end].max() < least:
            there[order[start:end]] = True
    return there


def apart(z: Array, off: Array) -> list[Array]:
    """Return the groups of a set of z that many other z separate; the group nearest to 0 comes first."""
    order = np.argsort(z, kind="stable")
    at = np.flatnonzero(off[order])
    parts = []
    for part in np.split(at, np.flatnonzero(np.diff(at) > RIGHT) + 1) if at.size else []:
        there = np.zeros(z.size, dtype=bool)
        there[order[part]] = True
        parts.append(there)
    return sorted(parts, key=lambda part: float(np.min(np.abs(z[part]))))


def rounding(z: Array, computed: Array, slope: Array, error: Array) -> str:
    """Return the kind of rounding that explains all these errors, or "". The arrays hold wrong results only.

    `error` is in ULP.
    """
    with np.errstate(all="ignore"):
        off = np.abs(computed.astype(np.float64) - slope.astype(np.float64)) / float(limits(z.dtype).eps)
    if np.all(off <= FEW_EPS) and np.any(off >= SOME_EPS):
        return "digits cancel there: compute it another way, or declare Weakness(Flaw.CANCELS, why, where)"
    if np.all(np.maximum(np.abs(slope), np.abs(computed)) < NEAR_TINY * limits(z.dtype).tiny):
        return FEW_DIGITS
    return _exponent(z.astype(np.float64), computed, slope, error)


def merging(z: Array, computed: Array, kinks: Mapping[float, float]) -> str:
    """Return at which kink y rounds to its value there, if that explains all, or "". Wrong results only."""
    eps = float(limits(z.dtype).eps)
    for kink, slope in kinks.items():
        if np.all(np.abs(z.astype(np.float64) - kink) <= NEXT * eps * abs(kink)) and np.all(computed == slope):
            return f"y rounds to its value at the kink z = {kink:g}: declare Weakness(Flaw.MERGES, why, where)"
    return ""


def _exponent(z: Array, computed: Array, slope: Array, error: Array) -> str:
    """Return that the rounding of an exponent is amplified, if that explains all errors, or "".

    In a tail, g' is about exp(-t): -log |g'| gives t, and half a ULP of t changes the exponential by up to t ULP.
    """
    with np.errstate(all="ignore"):
        size = np.abs(slope.astype(np.float64))
        exponent = -np.log(size)
        normal = (size >= float(limits(slope.dtype).tiny)) & np.isfinite(error)
        right = np.all(np.sign(computed) == np.sign(slope)) and np.all(size < TAIL)
        if not (right and normal.any() and np.all((error <= TIMES * exponent)[normal])):
            return ""
        ratio, octaves = (error / exponent)[normal], np.floor(np.log2(exponent[normal]))
        largest = [ratio[octaves == octave].max() for octave in np.unique(octaves) if np.sum(octaves == octave) >= FEW]
        if not largest or min(largest) < GROWS:
            return ""
        size_of = _power(np.abs(z[normal]), exponent[normal])
    named, declared = (f", about {size_of}", f"lambda z, _: {size_of}") if size_of else ("", "where")
    return (
        f"the rounding of an exponent is multiplied by its size{named}: compute it exactly, or declare "
        f"Weakness(Flaw.AMPLIFIES, why, {declared})"
    )


def _power(z: Array, exponent: Array) -> str:
    """Return the power of |z| that an exponent is proportional to, as code with its factor; or ""."""
    for power, code in POWERS.items():
        factor = exponent / z**power
        if factor.max() <= SPREAD * factor.min():
            often = f"{factor[np.argmax(exponent)]:.2g}"
            return code if often == "1" else f"{often} * {code}"
    return ""
