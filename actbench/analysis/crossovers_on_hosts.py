"""Crossovers on many hosts: from which size on another strategy is faster on each, and whether that differs.

A crossover is one of a curve, of two strategies of a backend, in one direction; where a curve crosses several times in
a direction, the first ones of all hosts are compared, then the second ones. The figures are sizes, whose logarithms are
compared as those of speedups are (`actbench.analysis.random_effects`); a host whose curve does not cross has no part in
that, and is shown with what its curve does instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from actbench.analysis.compared_with_recompute import with_recompute
from actbench.analysis.conditions import Conditions, distinctions
from actbench.analysis.interval import Interval
from actbench.analysis.on_hosts import EstimateOnHost, pooled, with_trends
from actbench.analysis.random_effects import Together, together
from actbench.analysis.statistics import CONFIDENCE, MIN_ROUNDS, false_discovery_control
from actbench.model.curve_events import CurveEvent
from actbench.runs.tables import CrossoverRow, CurveNames


class RunOnHost(NamedTuple):
    """What a run says of crossovers."""

    host: str
    caches: Mapping[str, int]
    """Bytes of the caches of one processor, by level."""
    rows: Sequence[CrossoverRow]
    conditions: Conditions = ()
    """How it was measured: on what inputs, and by how many threads."""


@dataclass(frozen=True, slots=True)
class CrossoverOnHost:
    """What a curve does on one host."""

    host: str
    caches: Mapping[str, int]
    size: EstimateOnHost | None
    """Elements at which it crosses 1 at this place; None where it does not."""
    instead: CrossoverRow
    """What the curve does, where it does not cross at this place: a crossover at another place, or its first event."""


@dataclass(frozen=True, slots=True)
class HostsOfCrossover:
    """A crossover on all hosts that have its curve."""

    curve: CurveNames
    conditions: Conditions
    """How its runs were measured."""
    below: str
    """The strategy that is faster at smaller sizes."""
    above: str
    hosts: tuple[CrossoverOnHost, ...]
    together: Together
    p_value: float
    """Of "all hosts cross at the same size", corrected for the number of crossovers (Benjamini and Hochberg)."""
    distinction: str = ""
    """The conditions that tell its curve from others of the name; empty where there is none."""

    @property
    def crossing(self) -> tuple[EstimateOnHost, ...]:
        """The hosts on which it crosses."""
        return tuple(one.size for one in self.hosts if one.size)

    @property
    def differs(self) -> bool:
        """Whether it is shown that hosts differ."""
        return self.p_value <= 1 - CONFIDENCE


CurveKey = tuple[CurveNames, Conditions]

Place = tuple[str, str, int]
"""Of a crossover on its curve: what is faster below and above, and how many of these are at smaller sizes."""


def crossovers_on_hosts(runs: Sequence[RunOnHost], states: Sequence[str] = ()) -> tuple[HostsOfCrossover, ...]:
    """Compare the crossovers of all runs; those of one host are pooled, and those that differ most come first.

    With `states`, only those with operands in these.
    """
    by_curve: dict[CurveKey, list[tuple[RunOnHost, list[CrossoverRow]]]] = {}
    for run in runs:
        of_run: dict[CurveNames, list[CrossoverRow]] = {}
        for row in run.rows:
            if not states or row.curve.operands in states:
                of_run.setdefault(row.curve, []).append(row)
        for curve, rows in of_run.items():
            by_curve.setdefault((curve, run.conditions), []).append((run, rows))
    keys = with_recompute(by_curve, lambda key: (key[0].subject, key[1]), lambda key: key[0].strategies)
    compared = [one for key in keys for one in _of_curve(key, by_curve[key])]
    apart = distinctions({(one.curve, one.conditions) for one in compared})
    p_values = false_discovery_control([one.p_value for one in compared]).tolist() if compared else []
    decided = [
        _decided(replace(one, p_value=p, distinction=apart[one.curve, one.conditions]))
        for one, p in zip(compared, p_values, strict=True)
    ]
    return tuple(sorted(decided, key=lambda one: (not one.differs, -one.together.between)))


def _of_curve(key: CurveKey, runs: Sequence[tuple[RunOnHost, list[CrossoverRow]]]) -> Iterator[HostsOfCrossover]:
    crossings = [_places(rows) for _, rows in runs]
    for place in dict.fromkeys(place for of_run in crossings for place in of_run):
        by_host: dict[str, list[EstimateOnHost]] = {}
        for (run, _), of_run in zip(runs, crossings, strict=True):
            sizes = by_host.setdefault(run.host, [])
            if place in of_run:
                row = of_run[place]
                rounds = max(row.rounds, MIN_ROUNDS)  # earlier runs recorded the fewest of all sizes of the curve
                sizes.append(EstimateOnHost.of(run.host, Interval(*row.size), rounds))
        first = {run.host: (run.caches, _instead(rows)) for run, rows in reversed(runs)}
        hosts = tuple(
            CrossoverOnHost(host, first[host][0], pooled(sizes) if sizes else None, first[host][1])
            for host, sizes in by_host.items()
        )
        all_hosts = together([one.size.effect for one in hosts if one.size])
        yield HostsOfCrossover(*key, *place[:2], hosts, all_hosts, all_hosts.p_value)


def _instead(rows: Sequence[CrossoverRow]) -> CrossoverRow:
    """Return the first crossover of a curve, or its first event where it has none."""
    return next((row for row in rows if row.kind is CurveEvent.CROSSES), rows[0])


def _places(rows: Sequence[CrossoverRow]) -> dict[Place, CrossoverRow]:
    """Return the crossovers of a curve by their places."""
    earlier: Counter[tuple[str, str]] = Counter()
    places = {}
    for row in rows:
        if row.kind is CurveEvent.CROSSES:
            turn = (row.below, row.above)
            places[*turn, earlier[turn]] = row
            earlier[turn] += 1
    return places


def _decided(one: HostsOfCrossover) -> HostsOfCrossover:
    """Return a crossover with the hosts that are off."""
    if not one.differs:
        return one
    trends = {host.host: host for host in with_trends(one.crossing)}
    return replace(one, hosts=tuple(replace(host, size=trends.get(host.host)) for host in one.hosts))
