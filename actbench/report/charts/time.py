"""Time per element against the array's size, above the time of a plain copy: a roofline that one can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import altair as alt

from actbench.analysis.figures import Figures
from actbench.report.charts.over_sizes import BY, by_panel, cache_marks, capacities, lines
from actbench.report.charts.style import (
    COPY,
    Picture,
    Row,
    backend_colour,
    blank,
    elements,
    logarithmic,
    panels,
    picture,
    with_panels,
)
from actbench.report.numbers import significant


def time(found: Sequence[Figures], caches: Mapping[str, int], *, choose: bool = False) -> Picture | None:
    """Return the chart of all cases; None when there is none."""
    rows = [_row(each) for each in found if not (each.yardstick or each.rung)]
    if not rows:
        return None
    rows = with_panels(rows, BY)
    base = blank()
    colour = backend_colour([*(row["backend"] for row in rows), COPY])
    y = logarithmic("ns", "time per element, ns")
    copied = base.transform_filter("datum.layer == 'copy'")
    limit = copied.mark_line(strokeDash=[3, 3], strokeWidth=2, point={"shape": "stroke", "size": 80}).encode(
        elements(), y, colour
    )
    chart = alt.layer(*cache_marks(base), limit, *lines(base, "case", rows, y, colour))
    quickest = min(rows, key=lambda row: row["ns"])
    return picture(
        "time",
        "Time per element against array size",
        "Lines: nanoseconds per element, by backend (colour) and strategy (dash), against the array's size, both axes "
        "logarithmic; bars are 95 % intervals, the dashed grey line is a plain copy of one array, and vertical lines "
        f"are sizes at which an input and an output fill a cache. The least of all is {significant(quickest['ns'], 2)} "
        f"ns, {quickest['activation']} {quickest['strategy']} with {quickest['backend']}.",
        panels(chart, rows, BY, choose=choose),
        [*rows, *_copies(rows, found), *capacities(rows, caches)],
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
    plain = [each for each in found if each.yardstick and each.backend == "numpy"]
    for keys, sizes in by_panel(rows):
        measured = {*sizes}
        for each in plain:
            if each.size in measured and (each.op, each.dtype) == (keys["op"], keys["dtype"]):
                yield keys | {"layer": "copy", "backend": COPY, "n": each.size, "ns": 1e9 * each.seconds / each.size}


def _panel(each: Figures) -> Row:
    return {"activation": each.activation, "op": str(each.op), "dtype": str(each.dtype)}
