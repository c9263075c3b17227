"""The comparison of hosts in the formats of ``actbench compare --by host``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp

from actbench.analysis.between_hosts import FasterStrategy, HostComparison, HostsOfPair
from actbench.analysis.between_runs import Trend
from actbench.analysis.interval import Interval
from actbench.analysis.on_hosts import EstimateOnHost
from actbench.analysis.random_effects import FEWEST_FOR_PREDICTION
from actbench.report import compared_crossovers, named_hosts
from actbench.report.compared_runs import figure, ratio_of
from actbench.report.conditions import in_words, with_distinction
from actbench.report.json_text import json_text
from actbench.report.named_hosts import NamedHost
from actbench.report.numbers import AS_BOUNDS, NO_FIGURE, UNDECIDED, counted, low_to_high
from actbench.report.table import Table, markdown, remarks_in_markdown
from actbench.runs.csv_text import csv_text

NOTE = (
    "Times faster than the reference strategy on the same backend, pooled over hosts by random effects; ± is the "
    f"longer side of the 95 % interval; {AS_BOUNDS}1. "
    f"{UNDECIDED} marks an interval that includes 1. Next host: where the speedup on a further host of their sort lies "
    f"with a probability of 95 %, from {FEWEST_FOR_PREDICTION} hosts on. I²: the share of the variance that is between "
    "hosts. Hosts differ where Welch's test of their heterogeneity is significant; the false discovery rate over all "
    "rows is 5 %. The faster strategy changes where either one is shown to be faster on some host (Holm over the "
    "hosts, 2.5 % a side). Rows where it changes are first, then those where hosts differ, then those with the largest "
    "standard deviation between hosts."
)

SCATTER = (
    "whole runs of one host may be a few percent apart; that is not in the interval of a run, so a small difference "
    "between hosts may be one between runs: measure a host again, or compare kinds of hosts with several runs each "
    "(--by kind)"
)


def sentence(comparison: HostComparison) -> str:
    """Return how many speedups differ between hosts, in words."""
    cells = comparison.cells
    start = f"{counted(len(cells), 'speedup')} on {counted(len(comparison.hosts), 'host')}"
    if len(comparison.hosts) == 1:
        return start
    differing = sum(cell.differs for cell in cells)
    changing = sum(cell.winner is FasterStrategy.CHANGES for cell in cells)
    crossing = comparison.crossovers
    moving = sum(one.differs for one in crossing)
    of_sizes = f"; {moving} of {counted(len(crossing), 'crossover')} shown to differ" if crossing else ""
    return f"{start}: {differing} shown to differ between hosts, and the winner changes in {changing}{of_sizes}"


def remarks(comparison: HostComparison, hosts: Sequence[NamedHost], left_out: Sequence[str]) -> list[str]:
    """Return what the comparison rests on."""
    lines = named_hosts.lines(hosts)
    if any(cell.differs for cell in comparison.cells):
        lines.append(SCATTER)
    if comparison.without_interval:
        what = counted(comparison.without_interval, "speedup")
        lines.append(f"{what} left out: fewer than six rounds give no interval")
    return [*lines, *(f"left out: {line}" for line in left_out)]


def tables(comparison: HostComparison) -> list[Table]:
    """Return the tables of speedups, then those of crossovers."""
    return [*tables_of_speedups(comparison), *compared_crossovers.tables(comparison.crossovers)]


def tables_of_speedups(comparison: HostComparison) -> list[Table]:
    """Return a row for each speedup, then one for each host of those that differ."""
    rows = tuple(_row(cell) for cell in comparison.cells)
    heads = ("case", "over", "hosts differ", "faster", "pooled", "next host", "I²", "smallest", "largest", "p-value")
    summary = Table("Speedups over hosts", NOTE, heads, rows, labels=4)
    differing = [cell for cell in comparison.cells if cell.differs]
    return [summary, *([_hosts(differing)] if differing else [])]


def as_markdown(comparison: HostComparison, remarks: Sequence[str]) -> str:
    """Return the sentence, the tables and the remarks in Markdown."""
    body = "\n".join(map(markdown, tables(comparison)))
    return f"**{sentence(comparison)}**\n\n{body}\n{remarks_in_markdown(remarks)}"


def as_csv(comparison: HostComparison) -> str:
    """Return a row for each speedup of each host, with the figures of all hosts together."""
    rows = [{**_facts(cell), **_facts_on(one)} for cell in comparison.cells for one in cell.hosts]
    return csv_text(list(rows[0]), [[*row.values()] for row in rows])


def as_json(comparison: HostComparison, remarks: Sequence[str]) -> str:
    """Return a JSON object with every speedup, and its hosts; missing values are null."""
    cells = [{**_facts(cell), "on": [*map(_facts_on, cell.hosts)]} for cell in comparison.cells]
    return json_text(
        {
            "hosts": comparison.hosts,
            "remarks": remarks,
            "speedups": cells,
            "crossovers": compared_crossovers.objects(comparison.crossovers),
        }
    )


def _row(cell: HostsOfPair) -> tuple[str, ...]:
    ratios = sorted(cell.hosts, key=lambda one: one.estimate.value)
    several = len(ratios) > 1
    prediction = cell.together.prediction
    return (
        *(name_of(cell), str(cell.reference.strategy), _differs(cell), winner_of(cell), ratio_of(cell.together.mean)),
        low_to_high(prediction) if prediction.has_bounds else NO_FIGURE,
        f"{100 * cell.together.i_squared:.0f} %" if several else NO_FIGURE,
        *(f"{one.estimate.value:.3g} ({one.host})" for one in (ratios[0], ratios[-1])),
        f"{cell.p_value:.2g}" if several else NO_FIGURE,
    )


def _differs(cell: HostsOfPair) -> str:
    if len(cell.hosts) == 1:
        return "one host"
    return "yes" if cell.differs else str(Trend.UNDECIDED)


def name_of(cell: HostsOfPair) -> str:
    """Return the case's id, with the conditions that tell it from others of the id."""
    return with_distinction(cell.case.id, cell.distinction)


def winner_of(cell: HostsOfPair) -> str:
    """Return the name of the faster strategy, or that it changes."""
    names = {FasterStrategy.CANDIDATE: str(cell.case.strategy), FasterStrategy.REFERENCE: str(cell.reference.strategy)}
    return names.get(cell.winner, str(cell.winner))


def _hosts(cells: Sequence[HostsOfPair]) -> Table:
    """Return every host of the speedups that differ."""
    rows = tuple(
        (name_of(cell), one.host, str(one.trend), figure(one.estimate)) for cell in cells for one in cell.hosts
    )
    note = (
        "Larger and smaller: the speedup differs significantly from the median of the hosts (Holm over the hosts of a "
        "speedup)."
    )
    return Table("Hosts of the speedups that differ", note, ("case", "host", "finding", "speedup"), rows, labels=3)


def _facts(cell: HostsOfPair) -> Mapping[str, object]:
    """Return the figures of all hosts together: columns of CSV, and keys of JSON."""
    pooled = cell.together
    return {
        "case": cell.case.id,
        "reference": str(cell.reference.strategy),
        "conditions": in_words(cell.conditions),
        "hosts": len(cell.hosts),
        "differs": cell.differs,
        "winner": str(cell.winner),
        **_bounds("pooled", pooled.mean),
        "prediction_low": pooled.prediction.low,
        "prediction_high": pooled.prediction.high,
        "factor_between_hosts": exp(pooled.between),
        "q": pooled.q,
        "i_squared": pooled.i_squared,
        "p_value": cell.p_value,
    }


def _facts_on(one: EstimateOnHost) -> Mapping[str, object]:
    return {"host": one.host, "finding": str(one.trend), **_bounds("speedup", one.estimate), "rounds": one.rounds}


def _bounds(name: str, interval: Interval) -> Mapping[str, object]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
