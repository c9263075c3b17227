"""Bencher Metric Format: JSON for ``bencher run --adapter json``.

Benchmarks hold measures; a measure holds a value and, where there is an interval, its bounds
(https://bencher.dev/docs/reference/bencher-metric-format). Bencher's built-in measure ``latency`` is in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from actbench.analysis.estimates import Estimate
from actbench.analysis.interval import Interval
from actbench.report.export.nanoseconds import nanoseconds


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of one case, in nanoseconds."""

    value: float
    lower_value: float | msgspec.UnsetType = msgspec.UNSET
    """With `upper_value` the 95 % interval; both are left out where there are too few rounds for one."""
    upper_value: float | msgspec.UnsetType = msgspec.UNSET


def text(estimates: Sequence[Estimate]) -> str:
    """Return the object, one benchmark per case."""
    benchmarks = {estimate.case.id: {"latency": _metric(estimate.seconds)} for estimate in estimates}
    return msgspec.json.format(msgspec.json.encode(benchmarks), indent=2).decode() + "\n"


def _metric(seconds: Interval) -> Metric:
    if not seconds.has_bounds:
        return Metric(nanoseconds(seconds.value))
    return Metric(*map(nanoseconds, seconds))
