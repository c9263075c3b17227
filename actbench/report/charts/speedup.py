"""How many times faster than the reference strategy, against the array's size, with the caches' capacities marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import altair as alt

from actbench.analysis.crossovers import Curve, Kind
from actbench.analysis.speedups import Speedup
from actbench.model import Dtype
from actbench.report.charts.style import (
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

REFERENCE = "recompute"

STREAMS = 2
"""Arrays that a kernel reads and writes: where these fill a cache is marked."""

BY = ("activation", "op", "dtype")


def speedup(
    found: Sequence[Speedup], curves: Sequence[Curve], caches: Mapping[str, int], *, choose: bool = False
) -> Picture | None:
    """Return the chart of all strategies against recompute; None when nothing is compared with it."""
    rows = [_row(each) for each in found if each.reference.strategy == REFERENCE and _one_backend(each)]
    rows += [_row(_swapped(each)) for each in found if each.candidate.strategy == REFERENCE and _one_backend(each)]
    if not rows:
        return None
    rows = with_panels(rows, BY)
    crossed = [*_crossings(rows, curves)]
    base = alt.Chart(data([*rows, *capacities(rows, caches), *crossed]))
    measured = base.transform_filter("datum.layer == 'ratio'")
    colour = backend_colour(row["backend"] for row in rows)
    dash = strategy_dash(row["strategy"] for row in rows)
    y = logarithmic("ratio", f"times faster than {REFERENCE}")
    lines = measured.mark_line(strokeWidth=2).encode(elements(), y, colour, dash)
    points = measured.mark_point(filled=True, size=36).encode(
        elements(),
        y,
        colour,
        strategy_shape(row["strategy"] for row in rows),
        tooltip=[f"{name}:N" for name in ("backend", "strategy", "n", "ratio", "low", "high")],
    )
    spans = measured.mark_rule(strokeWidth=1.5).encode(elements(), alt.Y("low:Q"), alt.Y2("high:Q"), colour)
    equal = base.mark_rule(strokeDash=[3, 3]).encode(y=alt.datum(1.0))
    caches_at = base.transform_filter("datum.layer == 'cache'")
    limits = caches_at.mark_rule(opacity=0.45).encode(elements())
    names = caches_at.mark_text(align="left", dx=3, dy=8, fontSize=10).encode(elements(), y=alt.value(0), text="name:N")
    bands = base.transform_filter("datum.layer == 'crossing'").mark_rect(opacity=0.2)
    crossings = bands.encode(
        alt.X("low:Q"), alt.X2("high:Q"), color=colour, tooltip=["backend:N", "strategy:N", "low:N", "high:N"]
    )
    chart = alt.layer(*([crossings] if crossed else []), limits, names, equal, lines, spans, points)
    sizes = sorted({row["n"] for row in rows})
    ratios = [row["ratio"] for row in rows]
    return picture(
        "speedup",
        f"Speedup over {REFERENCE} against array size",
        f"Lines: how many times faster than {REFERENCE} g' is, by backend (colour) and strategy (dash), against the "
        f"array's size from {sizes[0]} to {sizes[-1]} elements, both axes logarithmic; bars are 95 % intervals, the "
        "dashed line is 1, no difference, vertical lines are sizes at which an input and an output fill a cache, and "
        "shaded bands are the 95 % intervals of crossovers. "
        f"From {significant(min(ratios), 2)} to {significant(max(ratios), 2)} times.",
        panels(chart, rows, BY, choose=choose),
    )


def _one_backend(each: Speedup) -> bool:
    return each.reference.backend == each.candidate.backend and not each.candidate.is_rung


def _swapped(each: Speedup) -> Speedup:
    return Speedup(
        each.candidate, each.reference, 1 / each.ratio, 1 / each.high, 1 / each.low, each.rounds, each.scatter
    )


def _row(each: Speedup) -> Row:
    case = each.candidate
    return {
        "layer": "ratio",
        "activation": case.activation,
        "op": str(case.op),
        "dtype": str(case.dtype),
        "backend": case.backend,
        "strategy": case.strategy,
        "n": case.size,
        "ratio": each.ratio,
        "low": each.low,
        "high": each.high,
    }


def capacities(rows: Sequence[Row], caches: Mapping[str, int]) -> Iterator[Row]:
    """Yield, for every panel, the sizes at which an input and an output fill a cache, inside the sizes measured."""
    for keys, sizes in by_panel(rows):
        for name, nbytes in caches.items():
            n = nbytes / (STREAMS * Dtype(keys["dtype"]).itemsize)
            if min(sizes) < n < max(sizes):
                yield keys | {"layer": "cache", "name": name.removesuffix("d"), "n": n}


def _crossings(rows: Sequence[Row], curves: Sequence[Curve]) -> Iterator[Row]:
    """Yield the intervals in which a strategy that is shown stops being faster, or begins to be."""
    panels = {(*(row[field] for field in BY), row["backend"], row["strategy"]): row["panel"] for row in rows}
    for curve in curves:
        of = (curve.activation, str(curve.op), str(curve.dtype), curve.backend)
        strategy = curve.candidate if curve.reference == REFERENCE else curve.reference
        if REFERENCE not in {curve.reference, curve.candidate} or (*of, strategy) not in panels:
            continue
        keys = dict(zip((*BY, "backend"), of, strict=True)) | {"strategy": strategy, "panel": panels[*of, strategy]}
        for finding in curve.findings:
            if finding.kind is Kind.CROSSES:
                yield keys | {"layer": "crossing", "low": finding.low, "high": finding.high}


def by_panel(rows: Sequence[Row]) -> Iterator[tuple[Row, list[int]]]:
    """Yield what is the same for all rows of a panel, and its sizes."""
    for name in dict.fromkeys(row["panel"] for row in rows):
        own = [row for row in rows if row["panel"] == name]
        yield {field: own[0][field] for field in ("panel", *BY)}, [row["n"] for row in own]
