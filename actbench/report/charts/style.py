"""Common parts of the charts: axes, panels, their titles, and light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from actbench.analysis.statistics import MIN_ROUNDS
from actbench.report import states
from actbench.report.charts.data import six_digits
from actbench.report.charts.grammar import Spec, nominal, quantitative

PANEL = {"width": 300, "height": 190}
"""Size of one of several panels, in pixels."""

ALONE = {"width": 620, "height": 320}
"""Size of a single panel, in pixels."""

INK = {"light": "#1b1f24", "dark": "#e6e8eb"}
FAINT = {"light": "#d6d9dd", "dark": "#3a4048"}
PAPER = {"light": "#ffffff", "dark": "#14171b"}

ABOVE: Spec = {
    "labelAlign": "left",
    "labelPadding": -4,
    "labelOffset": -9,
    "ticks": False,
    "domain": False,
}
"""An axis whose labels stand inside the chart, each above its row."""

GRID_OPACITY = {"condition": {"test": "datum.label == ''", "value": 0.35}, "value": 1}
"""Opacity of grid lines, which is lower for those without a label."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, with a description for readers who do not see it."""

    kind: str
    title: str
    description: str
    """The content, the axes and the findings in words: the alternative text of the image."""
    spec: Spec
    """Vega-Lite, without the colours of the page, and with the name of the data in place of the data."""
    rows: pd.DataFrame
    """The data: numbers that are not finite are missing, and floats have six digits."""
    alike: str = ""
    """The fields that all panels share, which they therefore do not name: ``logistic, derivative``."""
    note: str = ""
    """A remark inside the picture on what is missing: intervals."""


DATA = "rows"
"""Name of the data in specifications."""


class Drawn(NamedTuple):
    """A chart as Vega-Lite, and the fields that all of its panels share."""

    spec: Spec
    alike: str = ""


def picture(  # noqa: PLR0913, PLR0917  # the parts of a chart
    kind: str, title: str, description: str, drawn: Drawn, rows: pd.DataFrame, note: str = ""
) -> Picture:
    """Return a chart with its words and data; the note appears in the picture and ends the words."""
    if drawn.alike:
        description = f"{description} All of it: {drawn.alike}."
    if note:
        description = f"{description} {note[0].upper()}{note[1:]}."
    spec = {"data": {"name": DATA}, "description": description} | drawn.spec
    if note:
        spec |= {"title": {"text": note, "fontSize": 12, "fontWeight": "normal"}}
    return Picture(kind, title, description, spec, six_digits(rows), drawn.alike, note)


def intervals(low: pd.Series[float], few: str = f"fewer than {MIN_ROUNDS} rounds") -> tuple[str, str]:
    """Return the words about a chart's bars, and the note where some intervals are missing."""
    missing = low.isna()
    if missing.all():
        return "", f"no intervals: {few}"
    return " Bars are 95 % intervals.", f"some cases have no interval: {few}" if missing.any() else ""


def themed(spec: Spec, theme: str) -> Spec:
    """Return a specification with the colours of a light or a dark page."""
    return spec | {"config": config(theme)}


def config(theme: str) -> Spec:
    """Return Vega-Lite's configuration for ``light`` or ``dark``."""
    ink, faint = INK[theme], FAINT[theme]
    axis = {"labelColor": ink, "titleColor": ink, "gridColor": faint, "domainColor": ink, "tickColor": ink}
    return {
        "background": PAPER[theme],
        "font": "system-ui, 'DejaVu Sans', sans-serif",
        "axis": axis
        | {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal"}
        | {"gridOpacity": GRID_OPACITY},
        "legend": {"labelColor": ink, "titleColor": ink, "labelLimit": 260, "titleFontWeight": "normal"}
        | {"symbolBaseFillColor": ink, "symbolBaseStrokeColor": ink, "symbolOpacity": 1},
        "header": {"labelColor": ink, "titleColor": ink, "labelFontSize": 12},
        "title": {"color": ink, "subtitleColor": ink, "fontSize": 14, "subtitleFontSize": 12, "anchor": "start"},
        "text": {"color": ink},
        "rule": {"color": ink},
        "view": {"stroke": faint},
    }


def elements() -> Spec:
    """Return the axis of array sizes."""
    axis = {"title": "n, elements", "format": "~s", "tickCount": 6}
    return quantitative("n", scale={"type": "log", "nice": False, "padding": 12}, axis=axis)


def logarithmic(field: str, title: str) -> Spec:
    """Return a logarithmic axis."""
    axis = {"title": title, "tickCount": 6}
    return quantitative(field, scale={"type": "log", "nice": False, "padding": 8}, axis=axis)


def with_panels(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the rows with the name of their panel, from those of the fields `by` that vary."""
    names: Any = ""
    for place, field in enumerate(_varied(rows, by)):
        values = rows[field] if field != states.COLUMN else f"{field} " + rows[field]
        names = names + ", " + values if place else values
    return rows.assign(panel=names)


def panels(
    chart: Spec, rows: pd.DataFrame, by: Sequence[str], *, choose: bool, independent: Sequence[str] = (), **size: Any
) -> Drawn:
    """Return a chart's panels: side by side, or with `choose` one panel and controls that select it.

    `by` names the fields that distinguish panels; the rows come from `with_panels`. Every panel has its own scale for
    the axes in `independent`.
    """
    varied = _varied(rows, by)
    alike = ", ".join(
        f"{field} {rows[field].iloc[0]}" if field == states.COLUMN else str(rows[field].iloc[0])
        for field in by
        if field not in varied
    )
    if varied and not choose:
        resolve = {"axis": {"x": "independent"}, "scale": dict.fromkeys(independent, "independent")}
        columns = rows[states.COLUMN].nunique() if states.COLUMN in varied else 2
        return Drawn(faceted(chart | PANEL | size, "panel", rows["panel"].unique().tolist(), columns, resolve), alike)
    spec = chart | ALONE | size
    if choose:
        spec["width"] = "container"
    if varied:
        only = " && ".join(f"datum.{field} == chosen_{field}" for field in varied)
        spec["transform"] = [*spec.get("transform", []), {"filter": only}]
        spec["params"] = [_control(field, rows) for field in varied]
    return Drawn(spec, alike)


def faceted(chart: Spec, field: str, names: list[str], columns: int, resolve: Spec) -> Spec:
    """Return a chart's panels side by side, one per name of a field; `resolve` says which scales they share."""
    facet = nominal(field, header={"title": None, "labelAnchor": "start"}, sort=names)
    return {"facet": facet, "columns": columns, "spec": chart, "resolve": resolve}


def _control(field: str, rows: pd.DataFrame) -> Spec:
    """Return a parameter with which the reader selects a value of a field."""
    values = rows[field].unique().tolist()
    bind = {"input": "select", "options": values, "name": f"{field} "}
    return {"name": f"chosen_{field}", "value": values[0], "bind": bind}


def _varied(rows: pd.DataFrame, by: Sequence[str]) -> list[str]:
    return [field for field in by if (rows[field] != rows[field].iloc[0]).any()]
