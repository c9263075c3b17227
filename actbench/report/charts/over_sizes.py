"""What the charts over array sizes have in common: a panel an activation, op and dtype, lines, and the caches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import pandas as pd

from actbench.model.names import Dtype
from actbench.report.charts.data import stacked
from actbench.report.charts.grammar import Spec, end, mark, nominal, quantitative, tips
from actbench.report.charts.signs import Signs
from actbench.report.charts.style import elements

FACETS = ("activation", "op", "dtype")
"""The fields in which panels differ."""

DRAWN_FIELDS = attrgetter(*FACETS, "backend", "strategy", "size")
"""What is drawn of a case, or of its figures."""

STREAMS = 2
"""Arrays that a kernel reads and writes: where these fill a cache is marked."""


def of_cases(layer: str, rows: Iterable[Sequence[Any]], *measured: str) -> pd.DataFrame:
    """Return a layer of the data: rows of `DRAWN_FIELDS`, and of what was measured."""
    table = pd.DataFrame(rows, columns=[*FACETS, "backend", "strategy", "n", *measured])
    return table.assign(layer=layer)


def capacities(rows: pd.DataFrame, caches: Mapping[str, int]) -> pd.DataFrame:
    """Return, for every panel, the sizes at which an input and an output fill a cache, inside the sizes measured."""
    spans = rows.groupby(["panel", *FACETS], sort=False)["n"].agg(["min", "max"]).reset_index()
    itemsize = spans["dtype"].map(lambda dtype: Dtype(dtype).itemsize)
    marks = [
        spans.assign(layer="cache", name=name.removesuffix("d"), n=nbytes / (STREAMS * itemsize))
        for name, nbytes in caches.items()
    ]
    if not marks:  # of a host whose caches are not known
        return pd.DataFrame()
    marked = stacked(spans, *marks)
    inside = (marked["min"] < marked["n"]) & (marked["n"] < marked["max"])
    return marked[inside].drop(columns=["min", "max"])


def words_of(marked: pd.DataFrame) -> str:
    """Return what a chart's words say of the caches that it marks; nothing where there is none."""
    return "" if marked.empty else " Vertical lines are sizes at which an input and an output fill a cache."


def lines(layer: str, rows: pd.DataFrame, y: Spec, colour: Spec, signs: Signs) -> list[Spec]:
    """Draw a layer of the data, `rows`: lines, intervals and points; the field of y is a tooltip."""
    strategies = rows["strategy"].unique().tolist()
    encoding = {"x": elements(), "y": y, "color": colour}
    of_lines = {"strokeDash": signs.strategy_dash(strategies)}
    interval = {"y": quantitative("low"), "y2": end("high")}
    of_points = {
        "shape": signs.strategy_shape(strategies),
        "tooltip": tips("backend", "strategy", "n", y["field"], "low", "high"),
    }
    return [
        mark("line", encoding | of_lines, layer=layer, strokeWidth=2),
        mark("rule", encoding | interval, layer=layer, strokeWidth=1.5),
        mark("point", encoding | of_points, layer=layer, filled=True, size=36),
    ]


def cache_marks() -> list[Spec]:
    """Draw the capacities of caches: rules, and their names above them."""
    names = {"x": elements(), "text": nominal("name")}
    return [
        mark("rule", {"x": elements()}, layer="cache", opacity=0.45),
        mark("text", names, layer="cache", baseline="bottom", y=0, dy=-2, fontSize=10),
    ]
