"""The page of a comparison of hosts: a heat map of speedups by host, their crossovers, and the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, log

from actbench.analysis.between_hosts import HostComparison, HostsOfPair
from actbench.analysis.between_runs import Trend
from actbench.analysis.interval import Interval
from actbench.analysis.on_hosts import EstimateOnHost
from actbench.report import compared_crossovers, compared_hosts
from actbench.report.charts.crossovers import crossovers
from actbench.report.charts.style import Picture
from actbench.report.named_hosts import NamedHost
from actbench.report.numbers import NO_FIGURE, UNDECIDED, low_to_high, ratio, significant
from actbench.report.page.rendering import Packer
from actbench.report.page.sections import Download, PageSection
from actbench.report.table import Table

SHADES = 4
"""Number of shades on either side of 1."""

MARKS = {Trend.LARGER: " \u25b2", Trend.SMALLER: " \u25bc"}

MARKED = "\u25b2 larger, \u25bc smaller: differs significantly from the median of the hosts"

HEAT_NOTE = (
    "Times faster than the reference strategy, ± the longer side of the 95 % interval. The colour is that of the "
    "logarithm, in steps of equal width; without a colour, the interval includes 1. Next host: where the speedup on a "
    "further host lies with a probability of 95 %. I²: the share of the variance that is between hosts. Rows where the "
    "faster strategy changes are first, then those where hosts differ, then those with the largest standard deviation "
    "between hosts."
)

METHOD = (
    "A speedup is a ratio of two cases that were measured side by side, so that no host's speed is in it. The pooled "
    "figure is that of a random-effects model, with Paule and Mandel's variance between hosts and Hartung and Knapp's "
    "interval; hosts differ where Welch's test of their heterogeneity is significant, with a false discovery rate of "
    "5 % over all rows. Crossovers are compared by the logarithms of their sizes in the same way."
)

SPEEDUPS, CROSSOVERS = "hosts.csv", "crossovers.csv"
"""The files that the page offers."""


def page(
    comparison: HostComparison, hosts: Sequence[NamedHost], remarks: Sequence[str], library: Callable[[], bytes]
) -> str:
    """Return the page; `library` returns the compressed JavaScript that draws charts, and is in it where one is."""
    files = {SPEEDUPS: compared_hosts.as_csv(comparison)}
    if comparison.crossovers:
        files[CROSSOVERS] = compared_crossovers.as_csv(comparison.crossovers)
    chart = crossovers(comparison.crossovers)
    step = _step(comparison.cells)
    sections = [
        PageSection("answer", "What differs", answers=(compared_hosts.sentence(comparison),), sentences=remarks),
        PageSection("heat", "Every speedup on every host", tables=[_heat_map(comparison, step)], legend=_legend(step)),
        *_crossings(comparison, chart),
        PageSection("tables", "Tables", tables=compared_hosts.tables_of_speedups(comparison)),
        PageSection("method", "How hosts are compared", sentences=(METHOD, compared_hosts.SCATTER)),
        *(
            PageSection(f"host-{number}", one.label, facts=tuple(one.facts.items()))
            for number, one in enumerate(hosts, 1)
        ),
        PageSection("files", "Files", files=[Download(name, len(text.encode())) for name, text in files.items()]),
    ]
    with Packer(files) as packer:
        return packer.rendered(
            f"{len(comparison.hosts)} hosts compared",
            sections,
            library if chart else None,
            hosts[0].line,
        )


def _crossings(comparison: HostComparison, chart: Picture | None) -> list[PageSection]:
    tables = compared_crossovers.tables(comparison.crossovers)
    charts = [chart] if chart else []
    return [PageSection("crossovers", "Crossovers and caches", charts=charts, tables=tables)] if tables else []


def _heat_map(comparison: HostComparison, step: float) -> Table:
    """Return a row for each speedup, and a column for each host."""
    rows, shades = [], []
    for cell in comparison.cells:
        on = {one.host: one for one in cell.hosts}
        of_hosts = [on.get(name) for name in comparison.hosts]
        prediction = cell.together.prediction
        rows.append(
            (
                f"{compared_hosts.name_of(cell)} / {cell.reference.strategy}",
                compared_hosts.winner_of(cell),
                ratio(cell.together.mean),
                low_to_high(prediction) if prediction.has_bounds else NO_FIGURE,
                f"{100 * cell.together.i_squared:.0f} %" if len(cell.hosts) > 1 else NO_FIGURE,
                *(_text(one) for one in of_hosts),
            )
        )
        shades.append(("", "", _shade(cell.together.mean, step), "", "", *(_shades(one, step) for one in of_hosts)))
    heads = ("case / reference", "faster", "pooled", "next host", "I²", *comparison.hosts)
    return Table("Speedups by host", HEAT_NOTE, heads, tuple(rows), labels=2, shades=tuple(shades))


def _text(one: EstimateOnHost | None) -> str:
    return ratio(one.estimate) + MARKS.get(one.trend, "") if one else NO_FIGURE


def _shades(one: EstimateOnHost | None, step: float) -> str:
    if one is None:
        return ""
    return f"{_shade(one.estimate, step)} {'differs' * (one.trend in MARKS)}".strip()


def _shade(estimate: Interval, step: float) -> str:
    """Return the class of a ratio's colour: none where its interval includes 1."""
    if estimate.contains(1.0):
        return ""
    side = "faster" if estimate.value > 1 else "slower"
    return f"{side}{min(SHADES, max(1, ceil(abs(log(estimate.value)) / step)))}"


def _step(cells: Sequence[HostsOfPair]) -> float:
    """Return the width of a shade, in the logarithm of a ratio; the strongest also has the largest tenth of ratios."""
    logs = sorted(abs(log(one.estimate.value)) for cell in cells for one in cell.hosts)
    return logs[int(0.9 * (len(logs) - 1))] / SHADES or 1.0


def _legend(step: float) -> list[tuple[str, str]]:
    """Return the shades, with the ratios that have them."""
    times = [significant(exp(step * number), 3) for number in range(SHADES)]
    shares = [significant(exp(-step * number), 3) for number in range(SHADES)]
    slower = [(f"slower{n}", f"{shares[n]} to {shares[n - 1]}") for n in range(SHADES - 1, 0, -1)]
    faster = [(f"faster{n}", f"{times[n - 1]} to {times[n]}") for n in range(1, SHADES)]
    return [
        (f"slower{SHADES}", f"below {shares[-1]}"),
        *slower,
        ("", f"{UNDECIDED} no difference from 1 shown"),
        *faster,
        (f"faster{SHADES}", f"above {times[-1]}"),
        ("differs", MARKED),
    ]
