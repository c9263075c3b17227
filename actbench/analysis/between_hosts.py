"""Comparison of hosts: whether keeping y is worth the same on all of them, and which strategy is faster.

The compared figures are speedups, ratios of two cases of a block that were measured side by side, so that no speed of a
host is in them. A host is a run, or a kind of host, whose runs are pooled first. That hosts differ is shown where the
test of their heterogeneity is significant after the correction for all cells (false discovery rate 5 %).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from actbench.analysis.conditions import Conditions, distinctions
from actbench.analysis.crossovers_on_hosts import HostsOfCrossover
from actbench.analysis.history import Measurement
from actbench.analysis.interval import Interval
from actbench.analysis.on_hosts import EstimateOnHost, pooled, with_trends
from actbench.analysis.random_effects import Together, one_sided_p_value, together
from actbench.analysis.statistics import CONFIDENCE, MIN_ROUNDS, false_discovery_control, holm
from actbench.model.cases import Case


class FasterStrategy(StrEnum):
    """The faster one of two strategies, over hosts."""

    CHANGES = "changes"
    """The candidate on some hosts, and the reference on others; either is shown (Holm over the hosts)."""
    CANDIDATE = "candidate"
    REFERENCE = "reference"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class HostsOfPair:
    """A speedup on all hosts that have it."""

    case: Case
    reference: Case
    conditions: Conditions
    """How it was measured: on what inputs, and by how many threads."""
    hosts: tuple[EstimateOnHost, ...]
    together: Together
    p_value: float
    """The p-value of "all hosts have the same ratio", corrected for the number of cells (Benjamini and Hochberg)."""
    winner: FasterStrategy = FasterStrategy.UNDECIDED
    distinction: str = ""
    """The conditions that tell it from others of the same pair; empty where there is none."""

    @property
    def differs(self) -> bool:
        """Whether it is shown that hosts differ."""
        return self.p_value <= 1 - CONFIDENCE


@dataclass(frozen=True, slots=True)
class HostComparison:
    """The comparison of hosts, cells that matter most first."""

    hosts: tuple[str, ...]
    cells: tuple[HostsOfPair, ...]
    without_interval: int
    """Number of speedups that were left out, because they rest on too few rounds for an interval."""
    crossovers: tuple[HostsOfCrossover, ...] = ()


Key = tuple[Case, Case, Conditions]

APART = frozenset({"in a block of", "on"})
"""Conditions that differ from host to host: what else its blocks have, and the device, which is a part of the host."""


def between_hosts(
    runs: Sequence[tuple[str, Sequence[Measurement]]], keep: Callable[[Case], bool] = lambda _: True
) -> HostComparison:
    """Compare hosts by the speedups of their runs; several runs with one label are pooled."""
    by_key: dict[Key, dict[str, list[EstimateOnHost]]] = {}
    lacking = 0
    for host, members in runs:
        for one in members:
            if one.reference is None or not keep(one.case):
                continue
            ratio = Interval(*one.ratio)
            if not ratio.has_bounds or one.rounds < MIN_ROUNDS:
                lacking += 1
                continue
            conditions = tuple(item for item in one.conditions if item[0] not in APART)
            on_host = EstimateOnHost.of(host, ratio, one.rounds)
            by_key.setdefault((one.case, one.reference, conditions), {}).setdefault(host, []).append(on_host)
    apart = distinctions((key[:2], key[2]) for key in by_key)
    cells = [_cell(key, apart[key[:2], key[2]], of_hosts) for key, of_hosts in by_key.items()]
    p_values = false_discovery_control([cell.p_value for cell in cells]).tolist() if cells else []
    decided = [_decided(replace(cell, p_value=p)) for cell, p in zip(cells, p_values, strict=True)]
    return HostComparison(tuple(dict.fromkeys(host for host, _ in runs)), tuple(sorted(decided, key=_order)), lacking)


def _cell(key: Key, distinction: str, of_hosts: Mapping[str, Sequence[EstimateOnHost]]) -> HostsOfPair:
    hosts = tuple(map(pooled, of_hosts.values()))
    all_hosts = together([one.effect for one in hosts])
    return HostsOfPair(*key, hosts=hosts, together=all_hosts, p_value=all_hosts.p_value, distinction=distinction)


def _decided(cell: HostsOfPair) -> HostsOfPair:
    """Return a cell with what differs in it, and with its winner."""
    if not cell.differs:
        return replace(cell, winner=_winner([cell.together.mean]))
    hosts = with_trends(cell.hosts)
    changes = _faster_somewhere(hosts, 1) and _faster_somewhere(hosts, -1)
    winner = FasterStrategy.CHANGES if changes else _winner([one.estimate for one in hosts])
    return replace(cell, hosts=hosts, winner=winner)


def _faster_somewhere(hosts: Sequence[EstimateOnHost], sign: int) -> bool:
    """Return whether the candidate, or with -1 the reference, is shown to be faster on a host (Holm over the hosts)."""
    p_values = holm([one_sided_p_value(one.effect, sign) for one in hosts])
    return bool((p_values <= (1 - CONFIDENCE) / 2).any())


def _winner(ratios: Sequence[Interval]) -> FasterStrategy:
    """Return the strategy that is faster by all ratios, whose intervals decide: no host may be wrong by chance."""
    if all(ratio.low > 1 for ratio in ratios):
        return FasterStrategy.CANDIDATE
    return FasterStrategy.REFERENCE if all(ratio.high < 1 for ratio in ratios) else FasterStrategy.UNDECIDED


def _order(cell: HostsOfPair) -> tuple[bool, bool, float]:
    return cell.winner is not FasterStrategy.CHANGES, not cell.differs, -cell.together.between
