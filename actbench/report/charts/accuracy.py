"""The largest error of g' in ULP against z, band by band, from the checks of the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isinf
from operator import attrgetter

import numpy as np
import pandas as pd

from actbench.model.checks import BANDS, STATED_ULP, Check
from actbench.model.names import Op
from actbench.report.charts.grammar import Spec, dashed, mark, quantitative, tips
from actbench.report.charts.signs import Signs
from actbench.report.charts.style import Picture, panels, picture, with_panels

FACETS = ("activation", "dtype")

LEAST_ULP = 0.1
"""Errors below this are drawn at it, since a logarithmic axis has no 0."""

TICK_LABEL = "replace(format(datum.value, abs(log(datum.value)) < 7 ? '~g' : '~e'), '+', '')"
"""The expression for the labels of an axis: ``1``, ``1e5``."""


def accuracy(checks: Sequence[Check], signs: Signs, *, choose: bool = False) -> Picture | None:
    """Return the chart of the derivatives that were checked; None where there are none."""
    op = _op(checks)
    shown = [check for check in checks if check.by_band and check.kernel.op is op]
    if not shown:
        return None
    rows = with_panels(_rows(shown), FACETS)
    crosses = bool((rows["layer"] == "none").any())
    y = quantitative(
        "ULP",
        scale={"type": "log", "domainMin": LEAST_ULP, "nice": False, "padding": 10},
        axis={"title": f"largest error of {op.symbol}, ULP", "labelExpr": TICK_LABEL, "tickCount": 6},
    )
    of_band = {
        "x": quantitative("place", scale={"domain": [0, len(BANDS)], "nice": False}, axis=_edges()),
        "color": signs.backend_colour(rows["backend"].unique()),
    }
    tooltip = {"tooltip": tips("strategy", "backend", "z", "ULP")}
    dashes = {"strokeDash": signs.strategy_dash(rows["strategy"].unique())}
    shapes = {"shape": signs.strategy_shape(rows["strategy"].unique())}
    crossed = " A cross at the top marks a band in which some result is no finite number." if crosses else ""
    layers = [
        dashed("y", STATED_ULP),
        mark("line", of_band | {"y": y} | dashes, layer="number", interpolate="step", strokeWidth=2),
        mark("point", of_band | {"y": y} | shapes | tooltip, layer="number", filled=True, size=30),
        mark("text", of_band | tooltip, layer="none", text="×", fontSize=14, y=0, dy=6),
    ]
    return picture(
        "accuracy",
        f"Error of {op.symbol} against z",
        "Steps: the largest error found in each band of z, in units in the last place on a logarithmic axis, by "
        f"backend (colour) and strategy (dash and shape).{crossed} The dashed line is {STATED_ULP:g} ULP, the bound "
        "where no weakness is declared.",
        panels({"layer": layers}, rows, FACETS, choose=choose),
        rows,
        f"dashed: {STATED_ULP:g} ULP{'; ×: no number' if crosses else ''}",
    )


def _op(checks: Sequence[Check]) -> Op:
    """Return the plainest op that was checked."""
    present = {check.kernel.op for check in checks}
    return next((op for op in Op if op in present), Op.DERIVATIVE)


def _rows(checks: Sequence[Check]) -> pd.DataFrame:
    """Return one row per check and band."""
    names = ["activation", "dtype", "strategy", "backend"]
    rows = pd.DataFrame([attrgetter(*names)(check.kernel) for check in checks], columns=names)
    rows = rows.loc[rows.index.repeat(len(BANDS))].reset_index(drop=True)
    largest = np.array([check.by_band for check in checks], dtype=np.float64).ravel()  # None becomes NaN
    return rows.assign(
        z=[_band(*band) for band in BANDS] * len(checks),
        place=[index + 0.5 for index in range(len(BANDS))] * len(checks),
        ULP=np.maximum(largest, LEAST_ULP),
        layer=np.where(np.isnan(largest), "none", "number"),
    )


def _edges() -> Spec:
    """Return an axis with a line at every edge of a band, and the name of every second edge, from the lowest on."""
    names = ["" if at % 2 == 0 else f"{low:g}" for at, (low, _) in enumerate(BANDS)]
    return {
        "title": "z",
        "values": [*range(1, len(BANDS))],
        "labelExpr": f"{json.dumps(names)}[datum.value]",
        "labelAngle": 0,
        "labelOverlap": False,
    }


def _band(low: float, high: float) -> str:
    if isinf(low):
        return f"below {high:g}"
    return f"{low:g} on" if isinf(high) else f"{low:g} to {high:g}"
