"""What an arm gains in a training step, against the rows of a batch, or the widths of a network.

``checkpoint``, which takes longer in order to keep less, is left out: its cost would hide what the others gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from actbench.analysis.training import ArmResult
from actbench.analysis.training_sweep import WORTH
from actbench.analysis.training_widths import series_names
from actbench.model.plan import Training
from actbench.model.training import CHECKPOINT
from actbench.report.charts.data import stacked
from actbench.report.charts.grammar import dashed, end, mark, quantitative, tips
from actbench.report.charts.signs import GREY, Signs
from actbench.report.charts.style import Picture, intervals, panels, picture, with_panels
from actbench.report.charts.training import LEGEND, of_arms
from actbench.report.training.words import BOUND

AXES = {"batch": "rows of a batch", "width": "features of the first activation"}


def gain(results: Sequence[ArmResult], training: Training, signs: Signs, *, choose: bool = False) -> Picture | None:
    """Return the chart of all gains; None where no network has several batches, and no two differ in width alone."""
    shown = [row for row in results if row.gain and row.case.strategy != CHECKPOINT]
    if not shown:
        return None
    rows = of_arms(shown).drop(columns=["ms", "low", "high"])
    of_gain = pd.DataFrame([row.gain.scaled(100) for row in shown if row.gain], columns=["gain", "low", "high"])
    widths = [training.activated[row.case.op][0] for row in shown]
    rows = pd.concat([rows, of_gain], axis=1).assign(rows=[row.case.size for row in shown], features=widths)
    by: tuple[str, ...] = ("activation", "network", "dtype")
    along, size = "batch", "rows"
    if rows["rows"].nunique() < 2:
        widening = series_names(training.activated)
        rows = rows.assign(network=[widening[row.case.op] for row in shown])
        along, size, by = "width", "features", (*by, "batch")
    several = rows.groupby([*by, "backend", "strategy"])[size].transform("nunique") > 1
    rows = rows[several].reset_index(drop=True)
    if rows.empty:
        return None
    rows = with_panels(rows.assign(layer="gain", n=rows[size]), by).drop(columns=["rows", "features"])
    return _picture(rows, along, by, signs, choose=choose)


def _picture(rows: pd.DataFrame, along: str, by: tuple[str, ...], signs: Signs, *, choose: bool) -> Picture:
    strategies = rows["strategy"].unique()
    encoding: dict[str, Any] = {
        "x": quantitative(
            "n",
            axis={"title": AXES[along], "values": sorted(rows["n"].unique().tolist())},
            scale={"type": "log", "nice": False, "padding": 12},
        ),
        "y": quantitative("gain", axis={"title": "saved of the reference's step, %"}),
        "color": signs.backend_colour(rows["backend"].unique()),
    }
    points = {
        "shape": signs.strategy_shape(strategies) | LEGEND,
        "tooltip": tips("arm", "n", "gain", "low", "high"),
    }
    band = rows.drop_duplicates("panel").assign(layer="band", low=-100 * WORTH, high=100 * WORTH)
    layers = [
        mark("rect", {"y": quantitative("low"), "y2": end("high")}, layer="band", color=GREY, opacity=0.2),
        dashed("y", 0),
        mark("line", encoding | {"strokeDash": signs.strategy_dash(strategies) | LEGEND}, layer="gain", strokeWidth=2),
        mark("rule", encoding | {"y": quantitative("low"), "y2": end("high")}, layer="gain", strokeWidth=1.5),
        mark("point", encoding | points, layer="gain", filled=True, size=36),
    ]
    bars, note = intervals(rows["low"])
    return picture(
        "gain",
        f"What is saved of a training step, by {along}",
        f"Lines: the share of the reference's step that an arm saves, in percent, against the {AXES[along]}, by "
        f"backend (colour) and strategy (dash and shape); below 0 it takes longer.{bars} The shaded band is less than "
        f"{100 * WORTH:g} % of a step. {BOUND} "
        "checkpoint, which takes longer in order to keep less, is left out.",
        panels({"layer": layers}, rows, by, choose=choose, independent=["y"]),
        stacked(rows, band),
        note,
    )
