"""Time per element against the array's size, above the time of a plain copy: a roofline that one can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import altair as alt

from actbench.analysis.figures import Figures
from actbench.report.charts.speedup import BY, by_panel, capacities
from actbench.report.charts.style import (
    COPY,
    Picture,
    Row,
    backend_colour,
    data,
    elements,
    logarithmic,
    panels,
    picture,
    strategy_dash,
    strategy_shape,
    with_panels,
)
from actbench.report.numbers import significant


def time(found: Sequence[Figures], caches: Mapping[str, int], *, choose: bool = False) -> Picture | None:
    """Return the chart of all cases; None when there is none."""
    rows = [_row(each) for each in found if not (each.yardstick or each.rung)]
    if not rows:
        return None
    rows = with_panels(rows, BY)
    base = alt.Chart(data([*rows, *_copies(rows, found), *capacities(rows, caches)]))
    measured = base.transform_filter("datum.layer == 'case'")
    colour = backend_colour([*(row["backend"] for row in rows), COPY])
    y = logarithmic("ns", "time per element, ns")
    lines = measured.mark_line(strokeWidth=2).encode(
        elements(), y, colour, strategy_dash(row["strategy"] for row in rows)
    )
    tips = [f"{name}:N" for name in ("backend", "strategy", "n", "ns", "low", "high")]
    points = measured.mark_point(filled=True, size=36).encode(
        elements(), y, colour, strategy_shape(row["strategy"] for row in rows), tooltip=tips
    )
    spans = measured.mark_rule(strokeWidth=1.5).encode(elements(), alt.Y("low:Q"), alt.Y2("high:Q"), colour)
    copied = base.transform_filter("datum.layer == 'copy'")
    limit = copied.mark_line(strokeDash=[3, 3], strokeWidth=2, point={"shape": "stroke", "size": 80}).encode(
        elements(), y, colour
    )
    caches_at = base.transform_filter("datum.layer == 'cache'")
    limits = caches_at.mark_rule(opacity=0.45).encode(elements())
    names = caches_at.mark_text(align="left", dx=3, dy=8, fontSize=10).encode(elements(), y=alt.value(0), text="name:N")
    quickest = min(rows, key=lambda row: row["ns"])
    return picture(
        "time",
        "Time per element against array size",
        "Lines: nanoseconds per element, by backend (colour) and strategy (dash), against the array's size, both axes "
        "logarithmic; bars are 95 % intervals, the dashed grey line is a plain copy of one array, and vertical lines "
        f"are sizes at which an input and an output fill a cache. The least is {significant(quickest['ns'], 2)} ns, "
        f"{quickest['strategy']} with {quickest['backend']}.",
        panels(alt.layer(limits, names, limit, lines, spans, points), rows, BY, choose=choose),
    )


def _row(each: Figures) -> Row:
    scale = 1e9 / each.size
    return _panel(each) | {
        "layer": "case",
        "backend": each.backend,
        "strategy": each.strategy,
        "n": each.size,
        "ns": scale * each.seconds,
        "low": scale * each.low,
        "high": scale * each.high,
    }


def _copies(rows: Sequence[Row], found: Sequence[Figures]) -> Iterator[Row]:
    """Yield, for every panel, the plain copies of its op and dtype."""
    for keys, sizes in by_panel(rows):
        for each in found:
            plain = each.yardstick and each.backend == "numpy" and each.size in sizes
            if plain and (each.op, each.dtype) == (keys["op"], keys["dtype"]):
                yield keys | {"layer": "copy", "backend": COPY, "n": each.size, "ns": 1e9 * each.seconds / each.size}


def _panel(each: Figures) -> Row:
    return {"activation": each.activation, "op": str(each.op), "dtype": str(each.dtype)}
