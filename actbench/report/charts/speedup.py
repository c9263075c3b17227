"""How many times faster than the reference strategy, against the array's size, with the caches' capacities marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import altair as alt

from actbench.analysis.crossovers import Curve, Kind
from actbench.analysis.speedups import Speedup
from actbench.report.charts.over_sizes import BY, cache_marks, capacities, lines
from actbench.report.charts.style import (
    Picture,
    Row,
    backend_colour,
    blank,
    logarithmic,
    panels,
    picture,
    tips,
    with_panels,
)
from actbench.report.numbers import significant

REFERENCE = "recompute"


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
    base = blank()
    colour = backend_colour(row["backend"] for row in rows)
    y = logarithmic("ratio", f"times faster than {REFERENCE}")
    equal = base.mark_rule(strokeDash=[3, 3]).encode(y=alt.YDatum(1.0))
    bands = base.transform_filter("datum.layer == 'crossing'").mark_rect(opacity=0.2)
    crossings = bands.encode(
        alt.X("low:Q"), alt.X2("high:Q"), color=colour, tooltip=tips("backend", "strategy", "low", "high")
    )
    shaded = [crossings] if crossed else []
    chart = alt.layer(*shaded, *cache_marks(base), equal, *lines(base, "ratio", rows, y, colour))
    sizes = sorted({row["n"] for row in rows})
    ratios = [row["ratio"] for row in rows]
    return picture(
        "speedup",
        f"Speedup over {REFERENCE} against array size",
        f"Lines: how many times faster than {REFERENCE} g' is, by backend (colour) and strategy (dash), against the "
        f"array's size from {sizes[0]} to {sizes[-1]} elements, both axes logarithmic; bars are 95 % intervals, the "
        "dashed line is 1, no difference, vertical lines are sizes at which an input and an output fill a cache, and "
        "shaded bands are the 95 % intervals of crossovers. "
        f"Over all that was measured, from {significant(min(ratios), 2)} to {significant(max(ratios), 2)} times.",
        panels(chart, rows, BY, choose=choose),
        [*rows, *capacities(rows, caches), *crossed],
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
