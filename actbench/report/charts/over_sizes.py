"""Common parts of the charts over array sizes: panels, lines, and cache capacities.

There is a panel per activation, op, dtype and, where not all operands are warm, state of operands: those that differ in
the state alone stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import pandas as pd

from actbench.model.names import Dtype, OperandState
from actbench.report import states
from actbench.report.charts.data import stacked
from actbench.report.charts.grammar import Spec, end, mark, nominal, quantitative, tips
from actbench.report.charts.signs import Signs
from actbench.report.charts.style import elements

FACETS = ("activation", "op", "dtype")
"""The fields that distinguish panels of warm operands."""

STATE = states.COLUMN
"""The further one of others."""

ROWS = "rows"
"""The number of rows, along which some activations work: lines join what has as many."""

DRAWN_FIELDS = attrgetter(*FACETS, STATE, "backend", "strategy", "size", ROWS)
"""The drawn fields of a case, or of its figures."""

STREAMS = 2
"""Number of arrays that a kernel reads and writes; a mark shows where these fill a cache."""


def of_cases(layer: str, rows: Iterable[Sequence[Any]], *measured: str) -> pd.DataFrame:
    """Return a layer of the data: rows of `DRAWN_FIELDS` and of measured values."""
    table = pd.DataFrame(rows, columns=[*FACETS, STATE, "backend", "strategy", "n", ROWS, *measured])
    return table.assign(layer=layer)


def facets(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the fields that distinguish panels."""
    return (*FACETS, *states.column(rows[STATE].unique()))


def meanings(rows: pd.DataFrame) -> str:
    """Return the sentence about the states of operands in a chart's description; "" where all are warm."""
    text = states.meanings(rows[STATE].unique())
    return f" {text}" if text else ""


def joined(rows: pd.DataFrame) -> str:
    """Return the sentence about which points are joined; "" where all have as many rows."""
    return " Lines join sizes of as many rows." if _in_rows(rows) else ""


def _in_rows(rows: pd.DataFrame) -> bool:
    return len(rows[ROWS].unique()) > 1


def capacities(rows: pd.DataFrame, caches: Mapping[str, int]) -> pd.DataFrame:
    """Return, for every panel, the sizes at which an input and an output fill a cache, within the measured sizes.

    Panels of operands from memory have none.
    """
    warm = rows[rows[STATE] == OperandState.WARM]
    if warm.empty:
        return pd.DataFrame()
    spans = warm.groupby(["panel", *FACETS, STATE], sort=False)["n"].agg(["min", "max"]).reset_index()
    itemsize = spans["dtype"].map(lambda dtype: Dtype(dtype).itemsize)
    marks = [
        spans.assign(layer="cache", name=name.removesuffix("d"), n=nbytes / (STREAMS * itemsize))
        for name, nbytes in caches.items()
    ]
    if not marks:  # the caches of the host are unknown
        return pd.DataFrame()
    marked = stacked(spans, *marks)
    inside = (marked["min"] < marked["n"]) & (marked["n"] < marked["max"])
    return marked[inside].drop(columns=["min", "max"])


def words_of(marked: pd.DataFrame) -> str:
    """Return the description of the marked caches; "" where there are none."""
    return "" if marked.empty else " Vertical lines are sizes at which an input and an output fill a cache."


def lines(layer: str, rows: pd.DataFrame, y: Spec, colour: Spec, signs: Signs) -> list[Spec]:
    """Draw a layer of the data, `rows`, as lines, intervals and points; the field of y is a tooltip.

    Arrays of as many elements in other rows are other arrays: each number of rows has its line.
    """
    strategies = rows["strategy"].unique().tolist()
    encoding = {"x": elements(), "y": y, "color": colour}
    apart = {"detail": nominal(ROWS)} if _in_rows(rows) else {}
    of_lines = {"strokeDash": signs.strategy_dash(strategies)} | apart
    interval = {"y": quantitative("low"), "y2": end("high")}
    of_points = {
        "shape": signs.strategy_shape(strategies),
        "tooltip": tips("backend", "strategy", "n", *([ROWS] if apart else []), y["field"], "low", "high"),
    }
    return [
        mark("line", encoding | of_lines, layer=layer, strokeWidth=2),
        mark("rule", encoding | interval, layer=layer, strokeWidth=1.5),
        mark("point", encoding | of_points, layer=layer, filled=True, size=36),
    ]


def cache_marks() -> list[Spec]:
    """Draw the capacities of caches as rules, with their names above."""
    names = {"x": elements(), "text": nominal("name")}
    return [
        mark("rule", {"x": elements()}, layer="cache", opacity=0.45),
        mark("text", names, layer="cache", baseline="bottom", y=0, dy=-2, fontSize=10),
    ]
