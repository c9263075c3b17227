"""What the charts over array sizes have in common: a panel an activation, op and dtype, lines, and the caches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from actbench.model import Dtype
from actbench.report.charts.style import Row, elements, strategy_dash, strategy_shape, tips

BY = ("activation", "op", "dtype")
"""What tells panels apart."""

STREAMS = 2
"""Arrays that a kernel reads and writes: where these fill a cache is marked."""


def by_panel(rows: Sequence[Row]) -> Iterator[tuple[Row, list[int]]]:
    """Yield what is the same for all rows of a panel, and its sizes."""
    panels: dict[str, list[Row]] = {}
    for row in rows:
        panels.setdefault(row["panel"], []).append(row)
    for own in panels.values():
        yield {field: own[0][field] for field in ("panel", *BY)}, [row["n"] for row in own]


def capacities(rows: Sequence[Row], caches: Mapping[str, int]) -> Iterator[Row]:
    """Yield, for every panel, the sizes at which an input and an output fill a cache, inside the sizes measured."""
    for keys, sizes in by_panel(rows):
        for name, nbytes in caches.items():
            n = nbytes / (STREAMS * Dtype(keys["dtype"]).itemsize)
            if min(sizes) < n < max(sizes):
                yield keys | {"layer": "cache", "name": name.removesuffix("d"), "n": n}


def lines(base: Any, layer: str, rows: Sequence[Row], y: alt.Y, colour: alt.Color) -> tuple[Any, Any, Any]:
    """Draw a layer of the data, `rows`: lines, intervals and points; the field of y is a tooltip."""
    measured = base.transform_filter(f"datum.layer == '{layer}'")
    strategies = [row["strategy"] for row in rows]
    encoded: Any = y.to_dict()
    told = tips("backend", "strategy", "n", encoded["field"], "low", "high")
    return (
        measured.mark_line(strokeWidth=2).encode(elements(), y, colour, strategy_dash(strategies)),
        measured.mark_rule(strokeWidth=1.5).encode(elements(), alt.Y("low:Q"), alt.Y2("high:Q"), colour),
        measured.mark_point(filled=True, size=36).encode(
            elements(), y, colour, strategy_shape(strategies), tooltip=told
        ),
    )


def cache_marks(base: Any) -> tuple[Any, Any]:
    """Draw the capacities of caches: rules, and their names at the top."""
    caches = base.transform_filter("datum.layer == 'cache'")
    names = caches.mark_text(align="left", dx=3, y=0, dy=8, fontSize=10)
    return (
        caches.mark_rule(opacity=0.45).encode(elements()),
        names.encode(elements(), text=alt.Text("name:N")),
    )
