"""Speedup over the reference strategy against the array's size, with the capacities of the caches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from actbench.analysis.crossovers import Curve
from actbench.analysis.speedups import Speedup
from actbench.model.curve_events import CurveEvent
from actbench.report.charts.data import stacked
from actbench.report.charts.grammar import dashed, end, mark, quantitative, tips
from actbench.report.charts.over_sizes import (
    DRAWN_FIELDS,
    FACETS,
    STATE,
    cache_marks,
    capacities,
    facets,
    joined,
    lines,
    meanings,
    of_cases,
    words_of,
)
from actbench.report.charts.signs import Signs
from actbench.report.charts.style import Picture, intervals, logarithmic, panels, picture, with_panels
from actbench.report.numbers import counted, span

REFERENCE = "recompute"


def speedup(
    speedups: Sequence[Speedup],
    curves: Sequence[Curve],
    caches: Mapping[str, int],
    signs: Signs,
    *,
    choose: bool = False,
) -> Picture | None:
    """Return the chart of all strategies against recompute; None where nothing is compared with it."""
    within = [pair for pair in speedups if pair.is_between_strategies]
    pairs = [pair for pair in within if pair.reference.strategy == REFERENCE]
    pairs += [pair.swapped() for pair in within if pair.candidate.strategy == REFERENCE]
    if not pairs:
        return None
    measured = [(*DRAWN_FIELDS(pair.candidate), *pair.ratio) for pair in pairs]
    rows = of_cases("ratio", measured, "ratio", "low", "high")
    by = facets(rows)
    rows = with_panels(rows, by)
    crossed = pd.DataFrame(_crossings(rows, curves))
    colour = signs.backend_colour(rows["backend"].unique())
    y = logarithmic("ratio", f"times faster than {REFERENCE}")
    crossing = {
        "x": quantitative("low"),
        "x2": end("high"),
        "color": colour,
        "tooltip": tips("backend", "strategy", "low", "high"),
    }
    shaded = [] if crossed.empty else [mark("rect", crossing, layer="crossing", opacity=0.2)]
    equal = dashed("y", 1.0)
    layers = [*shaded, *cache_marks(), equal, *lines("ratio", rows, y, colour, signs)]
    smallest, largest, ratios = rows["n"].min(), rows["n"].max(), rows["ratio"]
    marked = capacities(rows, caches)
    bars, note = intervals(rows["low"])
    at = f"at {counted(smallest, 'element')}" if smallest == largest else f"from {smallest} to {largest} elements"
    bands = "" if crossed.empty else " Shaded bands are the 95 % intervals of crossovers."
    return picture(
        "speedup",
        f"Speedup over {REFERENCE} against array size",
        f"Lines: how many times faster than {REFERENCE} g' is, by backend (colour) and strategy (dash and shape), "
        f"against the array's size, {at}, both axes logarithmic.{bars} The "
        f"dashed line is 1, no difference.{words_of(marked)}{bands}{joined(rows)}{meanings(rows)} "
        f"Over all that was measured, {span(ratios.min(), ratios.max())} times.",
        panels({"layer": layers}, rows, by, choose=choose),
        stacked(rows, marked, crossed),
        note,
    )


def _crossings(rows: pd.DataFrame, curves: Sequence[Curve]) -> Iterator[dict[str, Any]]:
    """Yield the intervals of sizes in which a drawn strategy becomes slower or faster than the reference."""
    fields = (*FACETS, STATE, "backend")
    panels = rows.set_index([*fields, "strategy"])["panel"].to_dict()
    for curve in curves:
        of = (curve.activation, str(curve.op), str(curve.dtype), str(curve.operands), curve.backend)
        strategy = curve.candidate if curve.reference == REFERENCE else curve.reference
        if REFERENCE not in {curve.reference, curve.candidate} or (*of, strategy) not in panels:
            continue
        keys = dict(zip(fields, of, strict=True)) | {"strategy": strategy, "panel": panels[*of, strategy]}
        for finding in curve.findings:
            if finding.kind is CurveEvent.CROSSES:
                yield keys | {"layer": "crossing", "low": finding.size.low, "high": finding.size.high}
