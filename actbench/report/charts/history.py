"""Ratios over runs: a point for each run with its interval, levels, and the steps between them."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import pandas as pd

from actbench.analysis.history import Figure, History, Series
from actbench.analysis.history_runs import DATE
from actbench.report.charts.grammar import Spec, end, mark, nominal, quantitative, tips
from actbench.report.charts.style import Picture, intervals, panels, picture
from actbench.report.numbers import change

FACETS = ("host", "case")

COLUMNS = ["host", "case", "layer", "at", "to", "run", "ratio", "low", "high", "what"]

RUN, LEVEL, STEP = "run", "level", "step"
"""The layers of the chart, as its rows name them."""

COLOURS = {"run": "#0072B2", "level": "#D55E00"}

Y = {Figure.TIME: "time, in copies or over the baseline's", Figure.SPEEDUP: "times faster"}


def history(of_runs: History) -> Picture:
    """Return the chart of every series, one at a time, which the reader selects."""
    points = [row for series in of_runs.series for row in _points(of_runs, series)]
    others = [row for series in of_runs.series for row in _levels(of_runs, series)]
    bars, note = intervals(pd.Series([row[7] for row in points]))
    rows = pd.DataFrame([*points, *others], columns=COLUMNS)
    x = _x(of_runs)
    y: Spec = {"scale": {"zero": False, "nice": False, "padding": 12}, "axis": {"title": Y[of_runs.figure]}}
    point = {"x": x, "y": quantitative("ratio", **y), "tooltip": tips("run", "at", "ratio", "low", "high")}
    level = {"x": x, "x2": end("to"), "y": quantitative("ratio", **y)}
    layers = [
        mark("rule", {"x": x, "y": quantitative("low", **y), "y2": end("high")}, layer=RUN, opacity=0.4),
        mark("point", point, layer=RUN, filled=True, size=28, color=COLOURS["run"]),
        mark("rule", level | {"tooltip": tips("what")}, layer=LEVEL, strokeWidth=3, color=COLOURS["level"]),
        mark("rule", {"x": x, "tooltip": tips("what")}, layer=STEP, strokeDash=[3, 3], color=COLOURS["level"]),
    ]
    steps = sum(len(series.steps) for series in of_runs.series)
    return picture(
        "history",
        f"Over runs, by {of_runs.axis}",
        f"Points: the {of_runs.figure} of one case in each run, {Y[of_runs.figure]}, by {of_runs.axis}.{bars} Thick "
        f"lines are levels; dashed ones are the first runs after a step, of which all cases together have {steps}.",
        panels({"layer": layers}, rows, FACETS, choose=True),
        rows,
        note,
    )


def _x(of_runs: History) -> Spec:
    if of_runs.axis == DATE:
        return {"field": "at", "type": "temporal", "axis": {"title": "begun, UTC"}, "scale": {"padding": 12}}
    labels = [*dict.fromkeys(point.position.label for point in of_runs.points)]
    axis = {"title": of_runs.axis, "labelOverlap": "greedy", "labelAngle": -40}
    return nominal("at", scale={"domain": labels}, axis=axis)  # layers do not agree on an order by `sort`


def _at(of_runs: History, index: int) -> str:
    point = of_runs.points[index]
    return point.run.created if of_runs.axis == DATE else point.position.label


def _points(of_runs: History, series: Series) -> Iterator[tuple[object, ...]]:
    host, name = str(series.host + 1), series.name
    for index, ratio in zip(series.runs, series.ratios.tolist(), strict=True):
        at = _at(of_runs, index)
        yield host, name, RUN, at, at, of_runs.points[index].name, *ratio, ""


def _levels(of_runs: History, series: Series) -> Iterator[tuple[object, ...]]:
    host = str(series.host + 1)
    for level in series.levels.levels:
        first, last = series.runs[level.begin], series.runs[level.end - 1]
        what = f"{level.value.value:.4g} over {level.end - level.begin} runs"
        yield host, series.name, LEVEL, _at(of_runs, first), _at(of_runs, last), "", level.value.value, nan, nan, what
    for step in series.steps:
        at = _at(of_runs, step.after)
        yield host, series.name, STEP, at, at, "", nan, nan, nan, f"{change(step.step.ratio)} from here on"
