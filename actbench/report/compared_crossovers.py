"""Crossovers of many hosts, with the caches of these, in the formats of ``actbench compare --by host``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

from actbench.analysis.crossovers_on_hosts import CrossoverOnHost, HostsOfCrossover
from actbench.analysis.interval import Interval
from actbench.model.curve_events import CurveEvent
from actbench.model.names import OperandState
from actbench.model.training import RECOMPUTE
from actbench.report.conditions import in_words, with_distinction
from actbench.report.crossovers import size_of, span
from actbench.report.numbers import NO_FIGURE
from actbench.report.table import Table
from actbench.runs.csv_text import csv_text
from actbench.runs.tables import CurveNames

SUMMARY_NOTE = (
    "The size from which on another strategy is faster, in elements, pooled over the hosts on which there is one, with "
    "the test of their heterogeneity, as for speedups. Crossovers in which hosts differ are first."
)

NOTE = (
    "Capacities of the caches of one processor, in KiB, and the size with its 95 % interval. Larger and smaller: it "
    "differs significantly from the median of the hosts (Holm over the hosts of a crossover)."
)

ELSEWHERE = "crosses elsewhere"
"""What a curve does on a host where it crosses only in the opposite direction, or less often than elsewhere."""

WITHOUT_SIZE = {
    CurveEvent.CROSSES: ELSEWHERE,
    CurveEvent.FADES: "no difference beyond {}",
    CurveEvent.UNDECIDED: "undecided at {}",
    CurveEvent.NONE: "does not cross from {}",
}
"""What a curve does on a host where it does not cross at this place, with the sizes."""

FADES_BELOW = "no difference up to {}"
"""What it does where the strategies are equal at the smallest sizes."""


def tables(crossovers: Sequence[HostsOfCrossover]) -> list[Table]:
    """Return a row for each crossover, then one for each host of each; nothing where there is none."""
    if not crossovers:
        return []
    heads = ("curve", "faster below, above", "hosts differ", "hosts", "pooled n", "next host", "I²", "p-value")
    summary = tuple(_summary(one) for one in crossovers)
    levels = list(dict.fromkeys(level for one in crossovers for host in one.hosts for level in host.caches))
    rows = tuple(
        (name(one), turn(one), host.host, _trend(host), *(_kib(host, level) for level in levels), size(host))
        for one in crossovers
        for host in one.hosts
    )
    columns = ("curve", "faster below, above", "host", "finding", *(f"{level}, KiB" for level in levels), "n")
    return [
        Table("Crossovers over hosts", SUMMARY_NOTE, heads, summary, labels=3),
        Table("Crossovers and caches of each host", NOTE, columns, rows, labels=4),
    ]


def name(one: HostsOfCrossover) -> str:
    """Return the name of its curve, as ids are written, with the conditions that tell it from others of the name."""
    return with_distinction(_name(one.curve), one.distinction)


def _name(curve: CurveNames) -> str:
    """Return the name of a curve, with the strategy that is compared with recompute; with both where none is that."""
    state = "" if curve.operands == OperandState.WARM else f"/{curve.operands}"
    rows = f"/{curve.rows} rows" if curve.rows > 1 else ""
    strategy = ":".join(name for name in (curve.candidate, curve.reference) if name != RECOMPUTE)
    return f"{curve.activation}/{strategy}/{curve.backend}/{curve.op}/{curve.dtype}{rows}{state}"


def turn(one: HostsOfCrossover) -> str:
    """Return which strategy is faster below, and which above."""
    return f"{one.below}, {one.above}"


def size(host: CrossoverOnHost) -> str:
    """Return the size of a crossover on a host, or what the curve does there instead."""
    if host.size:
        return size_of(host.size.estimate)
    event = host.instead
    words = WITHOUT_SIZE[event.kind] if event.below or event.kind is not CurveEvent.FADES else FADES_BELOW
    _, low, high = event.size
    return words.format(span(Interval(low, low, high)))


def as_csv(crossovers: Sequence[HostsOfCrossover]) -> str:
    """Return a row for each host of each crossover, its caches in bytes."""
    rows = [_of_all(one) | _of_host(host) for one in crossovers for host in one.hosts]
    columns = list(dict.fromkeys(name for row in rows for name in row))  # hosts differ in the levels of their caches
    return csv_text(columns, [[row.get(name) for name in columns] for row in rows])


def objects(crossovers: Sequence[HostsOfCrossover]) -> list[Mapping[str, object]]:
    """Return the objects of JSON."""
    return [
        {**_of_all(one), "on": [_of_host(host) | {"caches": host.caches} for host in one.hosts]} for one in crossovers
    ]


def _summary(one: HostsOfCrossover) -> tuple[str, ...]:
    pooled, several = one.together, len(one.crossing) > 1
    return (
        *(name(one), turn(one), ("yes" if one.differs else "undecided") if several else "one host"),
        *(f"{len(one.crossing)} of {len(one.hosts)}", size_of(pooled.mean)),
        span(pooled.prediction) if pooled.prediction.has_bounds else NO_FIGURE,
        f"{100 * pooled.i_squared:.0f} %" if several else NO_FIGURE,
        f"{one.p_value:.2g}" if several else NO_FIGURE,
    )


def _trend(host: CrossoverOnHost) -> str:
    return str(host.size.trend) if host.size else NO_FIGURE


def _kib(host: CrossoverOnHost, level: str) -> str:
    return f"{host.caches[level] / 1024:g}" if level in host.caches else NO_FIGURE


def _of_all(one: HostsOfCrossover) -> dict[str, object]:
    pooled = one.together
    return {
        **one.curve._asdict(),
        "conditions": in_words(one.conditions),
        "faster_below": one.below,
        "faster_above": one.above,
        "differs": one.differs,
        "pooled": pooled.mean.value,
        "pooled_low": pooled.mean.low,
        "pooled_high": pooled.mean.high,
        "prediction_low": pooled.prediction.low,
        "prediction_high": pooled.prediction.high,
        "q": pooled.q,
        "i_squared": pooled.i_squared,
        "p_value": one.p_value,
    }


def _of_host(host: CrossoverOnHost) -> dict[str, object]:
    kind, (value, low, high) = _event(host)
    return {
        "host": host.host,
        "kind": kind,
        "finding": _trend(host),
        "n": value,
        "n_low": low,
        "n_high": high,
        **{f"{level}_bytes": capacity for level, capacity in host.caches.items()},
    }


def _event(host: CrossoverOnHost) -> tuple[str, Sequence[float]]:
    """Return the kind of what a curve does on a host, and the sizes, NaN for those of a crossover at another place."""
    if host.size:
        return str(CurveEvent.CROSSES), host.size.estimate
    if host.instead.kind is CurveEvent.CROSSES:
        return ELSEWHERE, (nan, nan, nan)
    return str(host.instead.kind), host.instead.size
