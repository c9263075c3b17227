"""What one core can do at most: the two roofs under which every kernel is, arithmetic and memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import nan

import numpy as np

from actbench.analysis.statistics import Bounded, location


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate that nothing exceeds, in units of its own; NaN where it could not be measured."""

    subject: str
    rate: float
    low: float
    """With `high` the bounds of the 95 % interval over repeats in one process."""
    high: float
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Width:
    """Repeated rates of arithmetic in vectors of so many bits."""

    bits: int
    rates: tuple[float, ...]

    @property
    def typical(self) -> float:
        """The median rate."""
        return float(np.median(self.rates))


SAME = 0.05
"""Relative difference up to which two widths are the same: then registers have the narrower one."""


def arithmetic(dtype: str, widths: Iterable[Width]) -> Limit:
    """Return the peak rate: that of the narrowest vectors that are about as fast as the fastest."""
    by_width = sorted(widths, key=lambda each: (each.bits, -each.typical))
    fastest = max(by_width, key=lambda each: each.typical)
    register = next(each for each in by_width if each.typical >= (1 - SAME) * fastest.typical)
    rate = _rate(fastest.rates)
    return Limit(f"{dtype} arithmetic", *rate, "GFLOP/s", f"fused multiply-adds on {register.bits}-bit vectors")


def unknown_arithmetic(reason: str) -> Limit:
    """Return what to say where it could not be measured."""
    return Limit("arithmetic", nan, nan, nan, "GFLOP/s", f"not measured: {reason}")


def copying(nbytes: int, rates: Iterable[float], caches: dict[str, int]) -> Limit:
    """Return the rate of copying one array of so many bytes to another; `caches` are capacities by name."""
    holding = [name for name, size in caches.items() if size >= 2 * nbytes]
    where = f"both arrays fit {holding[0]}, as large as the system says it is" if holding else "out of every cache"
    size = f"{nbytes >> 20} MiB" if nbytes >= 1 << 20 else f"{nbytes >> 10} KiB"
    return Limit(f"copy of {size}", *_rate(rates), "GB/s", f"read and written; {where}")


def _rate(rates: Iterable[float]) -> Bounded:
    """Return the location of rates in thousand millions a second."""
    return Bounded.of_logs(location(np.log([1e-9 * each for each in rates])))
