"""From the accuracy of a framework's activation to findings: faults that a call on one number shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, inf, isnan, log10, nan

import numpy as np

from actbench.analysis.accuracy import NEARBY, Accuracy, Errors, Part, Zone
from actbench.model.checks import WRONG
from actbench.model.names import Dtype, Quantity
from actbench.model.number_formats import numpy_dtype
from benchmarks.audit.known import Known, eps, known, tiny

QUANTITIES = (Quantity.DERIVATIVE, Quantity.FORWARD)
"""What is compared: frameworks ship no second derivatives."""

IMPRECISE = 1000.0
"""Largest absolute error of a band, in eps of the dtype times the truth there, from which on it is a finding."""

ROUNDING = 4.0
"""Eps by which a result may be beside a limit at ±inf, or beyond the slopes on both sides of a kink."""

INSIDE = (1.05, 1.15)
"""How far inside a zone a z is tried, relative to its beginning, where rounding decides."""

PLAIN = 0.5
"""The z that is tried where a function is imprecise everywhere."""

ARRAY = 64
"""Elements of a call that is vectorised."""


class Fault(StrEnum):
    """What is wrong with a result, from the gravest on."""

    NAN = "nan"
    """No finite number at a finite z, where the truth is one."""
    ZERO = "zero"
    """0 where the truth is a normal number of the dtype."""
    WRONG = "wrong"
    """Off by more than 1 %, away from roots."""
    INFINITY = "infinity"
    """At ±inf: another result than the limit."""
    KINK = "kink"
    """At a kink: a result that is not between the slopes on its sides."""
    IMPRECISE = "imprecise"
    """Off by more than rounding explains, and by less than 1 %."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a framework's activation in one dtype and tail, with one z that shows it."""

    framework: str
    activation: str
    of: str
    """What is wrong: ``derivative`` or ``forward``."""
    fault: str
    dtype: str
    tail: str
    """``left`` or ``right``."""
    first: float
    """The z nearest to 0 of the zone."""
    last: float
    """The z farthest from 0; inf or -inf where the zone has no end."""
    zones: int
    """Number of zones with this fault in this tail."""
    z: float
    """The z of the call that shows it."""
    elements: int
    """Number of elements of the call: 1, or `ARRAY` where the framework computes a single one otherwise."""
    result: float
    """What the framework returns there; NaN until it has been called."""
    right: str
    """What is right there."""

    def shows(self, result: float) -> bool:
        """Return whether a result at z has this fault."""
        right = float(self.right)
        match Fault(self.fault):
            case Fault.NAN:
                return not np.isfinite(result)
            case Fault.ZERO:
                return result == 0
            case Fault.INFINITY:
                return isnan(result) or result != right
            case Fault.KINK:
                return result != right
            case Fault.WRONG:
                return not abs(result - right) <= WRONG * abs(right)
            case Fault.IMPRECISE:
                return not abs(result - right) <= IMPRECISE * eps(self.dtype) * abs(right)


def findings(item: Accuracy) -> Iterator[Finding]:
    """Yield the faults of a framework's activation in one dtype; `candidates` has the z that may show them."""
    rounding = ROUNDING * eps(item.kernel.dtype)
    for part in (Part.LEFT, Part.RIGHT):
        yield from _losses(item, part)
        end = item.conventions.infinities[part]
        if end.differs and not abs(end.result - end.limit) <= rounding * abs(end.limit):
            yield _finding(item, Fault.INFINITY, part, (inf, inf), inf, right=repr(end.limit))
    for kink in item.conventions.kinks:
        low, high = sorted((kink.before, kink.after))
        if not low - rounding * abs(low) <= kink.result <= high + rounding * abs(high):
            part, size = (Part.LEFT if kink.z < 0 else Part.RIGHT), abs(kink.z)
            yield _finding(item, Fault.KINK, part, (size, size), size, right=repr(kink.declared))


def _losses(item: Accuracy, part: Part) -> Iterator[Finding]:
    loss, dtype, sign = item.losses[part], item.kernel.dtype, sign_of(part)
    exact = known(item.kernel.activation, item.quantity)
    covered: list[Zone] = []
    for fault, zones in ((Fault.NAN, loss.nan), (Fault.ZERO, loss.zero), (Fault.WRONG, loss.wrong)):
        matter = [
            zone
            for zone in zones
            if not exact.excuses(sign * zone.first, sign * zone.last, dtype)
            and not any(_same(zone, before) for before in covered)
        ]
        covered += matter
        if matter:
            yield _finding(item, fault, part, (matter[0].first, matter[0].last), matter[0].first, zones=len(matter))
    coarse = [band for band in item.bands if band.part is part and _is_imprecise(band, exact, dtype)]
    if coarse and not covered:  # before a zone begins, results become imprecise in any case
        worst = max(coarse, key=lambda band: band.absolute.size)
        ends = (min(band.low for band in coarse), max(band.high for band in coarse))
        yield _finding(item, Fault.IMPRECISE, part, ends, abs(worst.absolute.z))


def _finding(  # what is found, and where
    item: Accuracy,
    fault: Fault,
    part: Part,
    ends: tuple[float, float],
    z: float,
    *,
    right: str | None = None,
    zones: int = 1,
) -> Finding:
    sign, kernel = sign_of(part), item.kernel
    return Finding(
        framework=kernel.backend,
        activation=kernel.activation,
        of=str(item.quantity),
        fault=str(fault),
        dtype=str(kernel.dtype),
        tail=str(part),
        first=sign * ends[0],
        last=sign * ends[1],
        zones=zones,
        z=sign * z,
        elements=1,
        result=nan,
        right=right or known(kernel.activation, item.quantity).text(sign * z),
    )


def sign_of(part: str) -> float:
    """Return the sign of the z of a tail."""
    return -1.0 if part == Part.LEFT else 1.0


def _same(zone: Zone, before: Zone) -> bool:
    """Return whether a zone of a lesser fault is that of a graver one."""
    return zone.first * NEARBY >= before.first and zone.last <= before.last * NEARBY


def _is_imprecise(band: Errors, exact: Known, dtype: str) -> bool:
    z = band.absolute.z
    right = abs(float(exact.at(z) or nan))
    is_off = right >= tiny(dtype) and IMPRECISE * eps(dtype) * right < band.absolute.size < inf
    return is_off and not (exact.is_beside_kink(z, z, dtype) or exact.has_root(z, z))


def candidates(finding: Finding) -> list[Finding]:
    """Return a finding at the z that may show it, plain ones first, on one number and then on an array."""
    fault, first, last = Fault(finding.fault), abs(finding.first), abs(finding.last)
    if fault in {Fault.INFINITY, Fault.KINK}:
        places = [finding]
    else:
        order = (*INSIDE, 1.0) if fault is Fault.WRONG else (1.0, *INSIDE)
        begins = [max(INSIDE[0] * first, PLAIN)] if fault is Fault.IMPRECISE else [factor * first for factor in order]
        inside = [simplest(begin, last, finding.dtype) for begin in begins if begin <= last]
        exact = known(finding.activation, finding.of)
        z = dict.fromkeys(sign_of(finding.tail) * size for size in [*inside, abs(finding.z)])
        places = [replace(finding, z=at, right=exact.text(at)) for at in z]
    return places + [replace(place, elements=ARRAY) for place in places]


def simplest(first: float, last: float, dtype: Dtype | str) -> float:
    """Return a |z| with few digits in a zone, close to its beginning."""
    if first == 0:
        return 0.0
    number = numpy_dtype(dtype).type
    for digits in range(1, 18):
        unit = 10.0 ** (ceil(log10(first)) - digits)
        z = float(number(float(f"{ceil(first / unit) * unit:.{digits}g}")))
        if first <= z <= min(last, NEARBY * first):
            return z
    return first
