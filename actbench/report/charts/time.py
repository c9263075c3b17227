"""Time per element against the array's size, with the time of a plain copy as the lower limit: a roofline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from actbench.analysis.figures import Figures
from actbench.report.charts.data import stacked
from actbench.report.charts.grammar import mark
from actbench.report.charts.over_sizes import (
    DRAWN_FIELDS,
    FACETS,
    ROWS,
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
from actbench.report.charts.signs import COPY_NAME, Signs
from actbench.report.charts.style import Picture, elements, intervals, logarithmic, panels, picture, with_panels
from actbench.report.numbers import significant


def time(
    figures: Sequence[Figures], caches: Mapping[str, int], signs: Signs, *, choose: bool = False
) -> Picture | None:
    """Return the chart of all cases; None where there are none."""
    rows = _rows("case", [row for row in figures if row.case.is_derivative])
    if rows.empty:
        return None
    by = facets(rows)
    rows = with_panels(rows, by)
    copies, marked = _copies(rows, figures), capacities(rows, caches)
    colour = signs.backend_colour([*rows["backend"].unique(), *copies["backend"].unique()])
    y = logarithmic("ns", "time per element, ns")
    copied = {"x": elements(), "y": y, "color": colour}
    strokes = {"shape": "stroke", "size": 80}
    limit = mark("line", copied, layer="copy", strokeDash=[3, 3], strokeWidth=2, point=strokes)
    layers = [*cache_marks(), *([] if copies.empty else [limit]), *lines("case", rows, y, colour, signs)]
    bars, note = intervals(rows["low"])
    copy = "" if copies.empty else " The dashed grey line is a plain copy of one array."
    quickest: Any = rows.iloc[int(rows["ns"].argmin())]
    return picture(
        "time",
        "Time per element against array size",
        "Lines: nanoseconds per element, by backend (colour) and strategy (dash and shape), against the array's size, "
        f"both axes logarithmic.{bars}{copy}{words_of(marked)}{joined(rows)}{meanings(rows)} The least of all is "
        f"{significant(quickest['ns'], 2)} ns, {quickest['activation']} {quickest['strategy']} with "
        f"{quickest['backend']}.",
        panels({"layer": layers}, rows, by, choose=choose),
        stacked(rows, copies, marked),
        note,
    )


def _rows(layer: str, figures: Sequence[Figures]) -> pd.DataFrame:
    """Return nanoseconds per element, with their bounds."""
    measured = ["ns", "low", "high"]
    rows = of_cases(layer, [(*DRAWN_FIELDS(row.case), *row.seconds) for row in figures], *measured)
    return rows.assign(**{name: 1e9 * rows[name] / rows["n"] for name in measured})


def _copies(rows: pd.DataFrame, figures: Sequence[Figures]) -> pd.DataFrame:
    """Return, for every panel, the plain copies beside which its cases were measured."""
    plain = _rows("copy", [row for row in figures if row.case.is_plain_copy])
    of_block = [*FACETS, STATE, "n", ROWS]
    panels = rows[["panel", *of_block]].drop_duplicates()
    return panels.merge(plain[["layer", *of_block, "ns"]], on=of_block).assign(backend=COPY_NAME)
