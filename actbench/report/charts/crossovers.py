"""Crossovers against the capacities of caches: a point for each host, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from actbench.analysis.crossovers_on_hosts import HostsOfCrossover
from actbench.report.charts.grammar import end, mark, nominal, quantitative, scale, tips
from actbench.report.charts.signs import PALETTE
from actbench.report.charts.style import Picture, logarithmic, panels, picture
from actbench.report.compared_crossovers import name, turn

FACETS = ("curve", "cache")

COLUMNS = ["curve", "cache", "host", "finding", "kib", "n", "low", "high"]

COLOURS = PALETTE[:-1]
"""Of hosts, without the one that is hardly visible on black."""


def crossovers(compared: Sequence[HostsOfCrossover]) -> Picture | None:
    """Return the chart of all crossovers, one of a cache at a time, which the reader selects; None without caches."""
    points = [
        (f"{name(one)}: {turn(one)}", level, size.host, str(size.trend), capacity / 1024, *size.estimate)
        for one in compared
        for host in one.hosts
        if (size := host.size)
        for level, capacity in host.caches.items()
    ]
    if not points:
        return None
    rows = pd.DataFrame(points, columns=COLUMNS)
    hosts = sorted({*rows["host"]})
    colours = scale(hosts, [COLOURS[place % len(COLOURS)] for place in range(len(hosts))])
    shared = {
        "x": {"field": "kib", "type": "ordinal", "axis": {"title": "capacity of the cache, KiB", "labelAngle": 0}},
        "xOffset": nominal("host", scale={"domain": hosts}),
        "color": nominal("host", scale=colours, title="host"),
    }
    y = logarithmic("n", "crossover, elements")
    y["axis"] |= {"format": "~s"}
    span = {"y": y | quantitative("low"), "y2": end("high")}
    tooltip = tips("host", "kib", "n", "low", "high", "finding")
    layers = [
        mark("rule", shared | span),
        mark("point", shared | {"y": y, "tooltip": tooltip}, filled=True, size=50),
    ]
    return picture(
        "crossovers",
        "Crossovers and caches",
        "Points, one a host: the array size from which on another strategy is faster, on a logarithmic axis, by the "
        f"capacity of a cache of one processor. Bars are 95 % intervals. {len(compared)} crossovers on "
        f"{rows['host'].nunique()} hosts.",
        panels({"layer": layers}, rows, FACETS, choose=True),
        rows,
    )
