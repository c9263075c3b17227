"""Why a result is off that is nearly right: what is known of rounding, in words, with the way to declare it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from actbench.verification.truth import Array

FEW_EPS = 8.0
"""What an absolute error is at most where digits cancel, in eps of the format."""

SOME_EPS = 0.01
"""What the largest is at least: what underflows where g' is next to nothing is another matter."""

TAIL = 0.1
"""Size of g' below which log |g'| is about the exponent of which g' is made."""

SPREAD = 1.3
"""By what factor an exponent may differ from a power of z."""

TIMES = 2.0
"""How many ULP an exponent's own ULP makes at most, for every unit of the exponent: it is rounded once or twice."""

GROWS = 0.15
"""The least that the largest error is, in units of the exponent, where it grows with it."""

NEAR_TINY = 1024.0
"""Up to how many times the smallest normal number a factor of g' may lie below it."""

RIGHT = 24
"""So many right results lie between two parts that have causes of their own."""

FEW = 4
"""So many results tell how the largest errors grow."""

NEXT = 16.0
"""How many eps from a kink y may round to its value there."""

UNDERFLOWS = (
    "an intermediate underflows or overflows: compute it otherwise, or declare Weakness(Flaw.OVERFLOWS, why, where)"
)

FEW_DIGITS = (
    "an intermediate below the smallest normal number has few digits: compute it otherwise, or declare "
    "Weakness(Flaw.AMPLIFIES, why, factor)"
)

LOSSY = "it is nearly right: to time it all the same, declare Weakness(Flaw.INACCURATE, why, where)"

POWERS: Mapping[int, str] = {1: "abs(z)", 2: "z * z", 3: "abs(z) ** 3"}
"""The exponents that are known, as code."""


def underflow(z: Array, computed: Array, slope: Array) -> Array:
    """Return where a result is 0 and g' is not, and no cancellation explains it: some intermediate underflows.

    A run of zeros that begins where g' is about eps comes of cancellation, all of it.
    """
    order = np.argsort(z, kind="stable")
    zero = ((computed == 0) & (slope != 0))[order]
    size = np.abs(slope[order].astype(np.float64))
    least = SOME_EPS * float(np.finfo(z.dtype).eps)
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]]).astype(np.int8))).reshape(-1, 2)
    there = np.zeros(z.size, dtype=bool)
    for start, end in bounds:
        if size[start:end].max() < least:
            there[order[start:end]] = True
    return there


def apart(z: Array, off: Array) -> list[Array]:
    """Return the parts of a set of z that are separated by many z that are not in it, from that nearest to 0."""
    order = np.argsort(z, kind="stable")
    at = np.flatnonzero(off[order])
    parts = []
    for part in np.split(at, np.flatnonzero(np.diff(at) > RIGHT) + 1) if at.size else []:
        there = np.zeros(z.size, dtype=bool)
        there[order[part]] = True
        parts.append(there)
    return sorted(parts, key=lambda part: float(np.min(np.abs(z[part]))))


def rounding(z: Array, computed: Array, slope: Array, error: Array) -> str:
    """Say what rounding has done where results are off, or nothing; `error` is in ULP. Arrays of what is off alone."""
    with np.errstate(all="ignore"):
        off = np.abs(computed.astype(np.float64) - slope.astype(np.float64)) / float(np.finfo(z.dtype).eps)
    if np.all(off <= FEW_EPS) and np.any(off >= SOME_EPS):
        return "digits cancel there: compute it otherwise, or declare Weakness(Flaw.CANCELS, why, where)"
    if np.all(np.maximum(np.abs(slope), np.abs(computed)) < NEAR_TINY * np.finfo(z.dtype).tiny):
        return FEW_DIGITS
    return _exponent(z.astype(np.float64), computed, slope, error)


def merging(z: Array, computed: Array, kinks: Mapping[float, float]) -> str:
    """Say at which kink y rounds to its value there, where that is all, or nothing. Arrays of what is off alone."""
    eps = float(np.finfo(z.dtype).eps)
    for kink, slope in kinks.items():
        if np.all(np.abs(z.astype(np.float64) - kink) <= NEXT * eps * abs(kink)) and np.all(computed == slope):
            return f"y rounds to its value at the kink z = {kink:g}: declare Weakness(Flaw.MERGES, why, where)"
    return ""


def _exponent(z: Array, computed: Array, slope: Array, error: Array) -> str:
    """Say that the rounding of an exponent is multiplied by it, where all errors are such; else nothing.

    In a tail, g' is about exp(-t): log |g'| tells t, and half a ULP of t makes up to t ULP of the exponential.
    """
    with np.errstate(all="ignore"):
        size = np.abs(slope.astype(np.float64))
        exponent = -np.log(size)
        normal = (size >= float(np.finfo(slope.dtype).tiny)) & np.isfinite(error)
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
    """Return the multiple of a power of |z| that an exponent is, as code; or nothing."""
    for power, code in POWERS.items():
        factor = exponent / z**power
        if factor.max() <= SPREAD * factor.min():
            often = f"{factor[np.argmax(exponent)]:.2g}"
            return code if often == "1" else f"{often} * {code}"
    return ""
