"""Peak rates of one core, of arithmetic and of copying: the two limits of every kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.statistics import hodges_lehmann
from actbench.model.kernel_copies import LOOP_COPY, NON_TEMPORAL_COPY


@dataclass(frozen=True, slots=True)
class PeakRate:
    """A rate that no kernel exceeds."""

    subject: str
    rate: Interval
    """In `unit`, over repeats in one process; `NO_ESTIMATE` where it could not be measured."""
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class VectorWidth:
    """Repeated rates of arithmetic in vectors of this many bits."""

    bits: int
    rates: tuple[float, ...]

    @property
    def median_rate(self) -> float:
        """The median rate."""
        return float(np.median(self.rates))


COPIED_BY = {"": "", LOOP_COPY: ", by a loop", NON_TEMPORAL_COPY: ", non-temporal"}
"""What makes a copy, in words."""

EQUAL_WIDTHS = 0.05
"""Relative difference up to which two widths count as equally fast: then registers have the narrower one."""


def arithmetic(dtype: str, widths: Iterable[VectorWidth]) -> PeakRate:
    """Return the peak rate of arithmetic. The registers are as wide as the narrowest vectors that about reach it."""
    by_width = sorted(widths, key=lambda width: (width.bits, -width.median_rate))
    fastest = max(by_width, key=lambda width: width.median_rate)
    register = next(width for width in by_width if width.median_rate >= (1 - EQUAL_WIDTHS) * fastest.median_rate)
    detail = f"fused multiply-adds on {register.bits}-bit vectors"
    return PeakRate(f"{dtype} arithmetic", _rate(fastest.rates), "GFLOP/s", detail)


def unknown_arithmetic(reason: str) -> PeakRate:
    """Return the peak rate of arithmetic where it could not be measured."""
    return PeakRate("arithmetic", NO_ESTIMATE, "GFLOP/s", f"not measured: {reason}")


def clock(cycle_seconds: Iterable[float]) -> PeakRate:
    """Return the clock that the processor had while all was measured, from the seconds of a cycle."""
    return PeakRate("clock", _rate(1 / seconds for seconds in cycle_seconds), "GHz", "from a chain of known latency")


@dataclass(frozen=True, slots=True)
class PipeRate(PeakRate):
    """The rate of operations that a model of the pipes allows at the clock that was measured."""

    share: Interval
    """Of it, what the fastest loop reaches, by repeat; in percent."""


def pipe_bound(
    dtype: str, operations: int, widths: Iterable[VectorWidth], cycle_seconds: Sequence[float], model: str
) -> PipeRate:
    """Return the bound of so many operations a cycle, and the share that the fastest vectors reach of it."""
    fastest = max(widths, key=lambda width: width.median_rate)
    reached = hodges_lehmann(np.log(fastest.rates) + np.log(cycle_seconds))
    share = Interval.from_logs(reached).scaled(100 / operations)
    bound = _rate(operations / seconds for seconds in cycle_seconds)
    return PipeRate(f"{dtype} pipe bound", bound, "GFLOP/s", f"{operations} a cycle ({model})", share)


def unknown_pipe_bound() -> PeakRate:
    """Return the bound where it is not known."""
    return PeakRate("pipe bound", NO_ESTIMATE, "GFLOP/s", "not known: there is no port model of this processor")


def copying(nbytes: int, rates: Iterable[float], caches: dict[str, int], kind: str = "") -> PeakRate:
    """Return the rate of copying one array of this many bytes to another; `caches` are capacities by name.

    `kind` is what makes it, numpy where it is empty.
    """
    holding = [name for name, size in caches.items() if size >= 2 * nbytes]
    where = f"both arrays fit {holding[0]}, as large as the system says it is" if holding else "out of every cache"
    size = f"{nbytes >> 20} MiB" if nbytes >= 1 << 20 else f"{nbytes >> 10} KiB"
    return PeakRate(f"copy of {size}{COPIED_BY[kind]}", _rate(rates), "GB/s", f"read and written; {where}")


def _rate(rates: Iterable[float]) -> Interval:
    """Return the estimate of rates in 1e9 per second."""
    return Interval.from_logs(hodges_lehmann(np.log([1e-9 * rate for rate in rates])))
