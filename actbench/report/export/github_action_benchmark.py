"""JSON for github-action-benchmark's tool ``customSmallerIsBetter``.

The action reads an array of name, unit and value, with range and extra as further text
(https://github.com/benchmark-action/github-action-benchmark, ``BenchmarkResult`` in src/extract.ts). The unit
ns/iter is one of those that it can convert (src/normalizeValueByUnit.ts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from actbench.analysis.estimates import Estimate
from actbench.report.export.nanoseconds import nanoseconds
from actbench.report.numbers import significant


@dataclass(frozen=True, slots=True)
class Entry:
    """One case."""

    name: str
    unit: str
    value: float
    range: str | msgspec.UnsetType
    """The longer side of the 95 % interval; left out where there is none."""
    extra: str
    """Lines to show next to the value."""


def text(estimates: Sequence[Estimate]) -> str:
    """Return the array, one entry per case."""
    return (
        msgspec.json.format(msgspec.json.encode([_entry(estimate) for estimate in estimates]), indent=2).decode() + "\n"
    )


def _entry(estimate: Estimate) -> Entry:
    return Entry(
        name=estimate.case.id,
        unit="ns/iter",
        value=nanoseconds(estimate.seconds.value),
        range=_range(estimate) if estimate.seconds.has_bounds else msgspec.UNSET,
        extra=f"rounds: {len(estimate.rounds)}\nloops: {estimate.loops}",
    )


def _range(estimate: Estimate) -> str:
    return f"± {significant(nanoseconds(estimate.seconds.half_width), 2)}"
