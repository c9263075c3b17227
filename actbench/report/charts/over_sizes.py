"""What the charts over array sizes have in common: a panel an activation, op and dtype, lines, and the caches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import altair as alt
import pandas as pd

from actbench.model import Dtype
from actbench.report.charts.data import stacked
from actbench.report.charts.style import elements, strategy_dash, strategy_shape, tips

BY = ("activation", "op", "dtype")
"""What tells panels apart."""

OF_CASE = attrgetter(*BY, "backend", "strategy", "size")
"""What is drawn of a case, or of its figures."""

STREAMS = 2
"""Arrays that a kernel reads and writes: where these fill a cache is marked."""


def of_cases(layer: str, rows: Iterable[Sequence[Any]], *measured: str) -> pd.DataFrame:
    """Return a layer of the data: rows of `OF_CASE`, and of what was measured."""
    table = pd.DataFrame(rows, columns=[*BY, "backend", "strategy", "n", *measured])
    return table.assign(layer=layer)


def capacities(rows: pd.DataFrame, caches: Mapping[str, int]) -> pd.DataFrame:
    """Return, for every panel, the sizes at which an input and an output fill a cache, inside the sizes measured."""
    spans = rows.groupby(["panel", *BY], sort=False)["n"].agg(["min", "max"]).reset_index()
    itemsize = spans["dtype"].map(lambda dtype: Dtype(dtype).itemsize)
    marks = [
        spans.assign(layer="cache", name=name.removesuffix("d"), n=nbytes / (STREAMS * itemsize))
        for name, nbytes in caches.items()
    ]
    found = stacked(spans, *marks)
    inside = (found["min"] < found["n"]) & (found["n"] < found["max"])
    return found[inside].drop(columns=["min", "max"])


def lines(base: Any, layer: str, rows: pd.DataFrame, y: alt.Y, colour: alt.Color) -> tuple[Any, Any, Any]:
    """Draw a layer of the data, `rows`: lines, intervals and points; the field of y is a tooltip."""
    measured = base.transform_filter(f"datum.layer == '{layer}'")
    strategies = rows["strategy"].unique().tolist()
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
    """Draw the capacities of caches: rules, and their names above them."""
    caches = base.transform_filter("datum.layer == 'cache'")
    names = caches.mark_text(baseline="bottom", y=0, dy=-2, fontSize=10)
    return (
        caches.mark_rule(opacity=0.45).encode(elements()),
        names.encode(elements(), text=alt.Text("name:N")),
    )
