"""Where the time of a training step goes: one stacked bar an arm, with the activation's parts in bright colours."""

from __future__ import annotations

from collections.abc import Sequence

from actbench.analysis.training import ArmResult
from actbench.model.training import StepPart
from actbench.report.charts.data import stacked
from actbench.report.charts.grammar import end, mark, nominal, quantitative, scale, tips
from actbench.report.charts.style import ABOVE, Picture, intervals, panels, picture, with_panels
from actbench.report.charts.training import PANEL_FIELDS, of_arms
from actbench.report.numbers import percent
from actbench.report.training.words import BOUND

WHOLE = "the whole step, compiled"

PART_COLOURS = {
    StepPart.PRODUCTS_FORWARD: "#0072B2",
    StepPart.PRODUCTS_BACKWARD: "#56B4E9",
    StepPart.ACTIVATION_FORWARD: "#D55E00",
    StepPart.ACTIVATION_BACKWARD: "#E69F00",
    StepPart.BIAS: "#5c636b",
    StepPart.LOSS: "#8a9099",
    StepPart.UPDATE: "#b0b5bb",
    StepPart.REST: "#d6d9dd",
    WHOLE: "#9bbcd6",
}
"""The parts of a step in the order of bars, and what stands for them where there are none."""

BAR_HEIGHT = 11
"""Height of a bar in pixels."""


def step(results: Sequence[ArmResult], *, choose: bool = False) -> Picture | None:
    """Return the chart of all arms; None where there are none."""
    if not results:
        return None
    arms = with_panels(of_arms(results), PANEL_FIELDS)
    shown = [part for of_arm in map(_shares, results) for part, _, _ in of_arm]
    places = [place for place, row in enumerate(results) for _ in _shares(row)]
    rows = arms.iloc[places].reset_index(drop=True)
    shares = [share for row in results for _, share, _ in _shares(row)]
    words = [text for row in results for _, _, text in _shares(row)]
    rows = rows.assign(
        layer="part",
        part=shown,
        ms=rows["ms"] * shares,
        share=words,
        place=[[*PART_COLOURS].index(part) for part in shown],
    ).drop(columns=["low", "high"])
    colours = {part: colour for part, colour in PART_COLOURS.items() if part in shown}
    bar = {
        "x": quantitative("ms", axis={"title": "time of a step, ms"}, stack="zero"),
        "y": nominal("arm", sort=None, axis={"title": None, "labelLimit": 320} | (ABOVE if choose else {})),
        "color": nominal("part", scale=scale([*colours], [*colours.values()]), title=None),
        "order": quantitative("place"),
        "tooltip": tips("arm", "part", "ms", "share"),
    }
    offset = BAR_HEIGHT / 2 if choose else 0
    span = {"x": quantitative("low"), "x2": end("high"), "y": nominal("arm", sort=None)}
    layers = [
        mark("bar", bar, layer="part", height=BAR_HEIGHT, yOffset=offset),
        mark("rule", span, layer="arm", strokeWidth=2, yOffset=offset),
    ]
    bars, note = intervals(arms["low"])
    of_time = " Rules at the ends of bars are 95 % intervals of the time of the step." if bars else ""
    return picture(
        "step",
        "Where the time of a training step goes",
        "Stacked bars, one an arm: milliseconds of a step, divided as an instrumented step is, in which every part is "
        "timed; the activation's parts are orange, the products of matrices blue. A step that a framework compiles as "
        f"a whole has no parts. {BOUND}{of_time}",
        panels(
            {"layer": layers},
            arms,
            PANEL_FIELDS,
            choose=choose,
            independent=["x", "y"],
            height={"step": 30 if choose else 16},
        ),
        stacked(rows, arms.assign(layer="arm")),
        note,
    )


def _shares(row: ArmResult) -> list[tuple[str, float, str]]:
    """Return each part of an arm with its share of the step, as a number and in words."""
    if not row.parts:
        return [(WHOLE, 1.0, "")]
    return [(str(part.part), part.share.value, percent(part.share)) for part in row.parts]
