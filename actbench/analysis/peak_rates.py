"""Peak rates of one core, of arithmetic and of copying: the two limits of every kernel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.statistics import hodges_lehmann


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


def copying(nbytes: int, rates: Iterable[float], caches: dict[str, int]) -> PeakRate:
    """Return the rate of copying one array of this many bytes to another; `caches` are capacities by name."""
    holding = [name for name, size in caches.items() if size >= 2 * nbytes]
    where = f"both arrays fit {holding[0]}, as large as the system says it is" if holding else "out of every cache"
    size = f"{nbytes >> 20} MiB" if nbytes >= 1 << 20 else f"{nbytes >> 10} KiB"
    return PeakRate(f"copy of {size}", _rate(rates), "GB/s", f"read and written; {where}")


def _rate(rates: Iterable[float]) -> Interval:
    """Return the estimate of rates in 1e9 per second."""
    return Interval.from_logs(hodges_lehmann(np.log([1e-9 * rate for rate in rates])))
