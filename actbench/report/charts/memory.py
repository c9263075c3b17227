"""What an arm of a training step keeps, against the time of the step: one point an arm."""

from __future__ import annotations

from collections.abc import Sequence

from actbench.analysis.training import ArmResult
from actbench.report.charts.grammar import end, mark, quantitative, tips
from actbench.report.charts.signs import Signs
from actbench.report.charts.style import Picture, intervals, panels, picture, with_panels
from actbench.report.charts.training import LEGEND, PANEL_FIELDS, of_arms
from actbench.report.training.words import BOUND, nbytes

APART: dict[str, object] = {"zero": False, "padding": 16}
"""A scale on which small differences of times show."""


def memory(results: Sequence[ArmResult], signs: Signs, *, choose: bool = False) -> Picture | None:
    """Return the chart of all arms whose bytes were counted; None where there are none."""
    checked = [(row, row.check.kept) for row in results if row.check]
    if not checked:
        return None
    rows = of_arms(row for row, _ in checked)
    rows = with_panels(
        rows.assign(KiB=[kept / 1024 for _, kept in checked], kept=[nbytes(kept) for _, kept in checked]), PANEL_FIELDS
    )
    encoding = {
        "x": quantitative("KiB", axis={"title": "kept from forward to backward, KiB", "tickCount": 6}),
        "y": quantitative("ms", axis={"title": "time of a step, ms", "tickCount": 6}, scale=APART),
        "color": signs.backend_colour(rows["backend"].unique()),
    }
    points = {
        "shape": signs.strategy_shape(rows["strategy"].unique()) | LEGEND,
        "tooltip": tips("arm", "kept", "ms", "low", "high"),
    }
    span = {"y": quantitative("low", scale=APART), "y2": end("high")}
    bars, note = intervals(rows["low"])
    return picture(
        "memory",
        "Bytes kept against the time of a training step",
        "Points, one an arm: the bytes that a step keeps from its forward to its backward pass, without parameters and "
        "inputs, and the milliseconds of the step, by backend (colour) and strategy (shape); left and below is better. "
        f"{BOUND}{bars}",
        panels(
            {
                "layer": [
                    mark("rule", encoding | span, strokeWidth=1.5),
                    mark("point", encoding | points, filled=False, size=90, strokeWidth=2),
                ]
            },
            rows,
            PANEL_FIELDS,
            choose=choose,
            independent=["x", "y"],
        ),
        rows,
        note,
    )
