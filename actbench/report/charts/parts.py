"""Where each case's time goes: the call itself, computing what lies in cache, and what larger arrays cost beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from actbench.analysis.figures import Figures
from actbench.model import CACHED, Calibration, Probe
from actbench.report.charts.grammar import mark, nominal, quantitative, scale, tips
from actbench.report.charts.over_sizes import BY, OF_CASE, of_cases
from actbench.report.charts.signs import GREY
from actbench.report.charts.style import ABOVE, Picture, panels, picture, with_panels
from actbench.report.numbers import count
from actbench.runs.times import Times

PARTS = {
    "the call": "#56B4E9",
    "computing in cache": "#009E73",
    "memory and allocation": "#D55E00",
    "the elements, not told apart": GREY,
}
"""Of a case's time; the last where a call hides what elements take in cache (`Probe.elements`)."""

BAR = 11
"""Pixels of a bar's height."""

TIME = "format(1e6 * datum.seconds * datum.share / 100, '.3~r') + ' µs'"


def parts(
    times: Times, found: Sequence[Figures], calibrations: Mapping[str, Calibration], *, choose: bool = False
) -> Picture | None:
    """Return the chart of all cases that were probed while calibrating; None when none was."""
    probes = {
        case: probe
        for block in times.blocks
        for case, probe in zip(block.cases, calibrations[block.id].probes, strict=False)
    }
    probed = [(each, probe) for each in found if (probe := probes.get(each.case))]
    if not probed:
        return None
    rows = with_panels(_rows(probed), BY)
    shown = {part: colour for part, colour in PARTS.items() if rows[part].any()}
    fold = [
        {"fold": [*shown], "as": ["part", "share"]},
        {"calculate": f"indexof({[*shown]}, datum.part)", "as": "place"},
        {"calculate": TIME, "as": "time"},
    ]
    axis = {"title": "share of a call's time, %", "values": [0, 25, 50, 75, 100]}
    encoding = {
        "x": quantitative("share", axis=axis, scale={"domain": [0, 100]}),
        "y": nominal("case", sort=None, axis={"title": None, "labelLimit": 320} | (ABOVE if choose else {})),
        "color": nominal("part", scale=scale([*shown], [*shown.values()]), title=None),
        "order": quantitative("place"),
        "tooltip": tips("case", "part", "share", "time"),
    }
    bars = mark("bar", encoding, height=BAR, yOffset=BAR / 2 if choose else 0)
    return picture(
        "parts",
        "Where the time goes",
        "Stacked bars, one a case: the share of a call's time that one element takes as well, the share that the "
        f"elements would take at the rate of {CACHED} elements in cache, and in larger arrays the rest, which is "
        "memory and allocation; where a call hides that rate, the share of all elements.",
        panels({"transform": fold} | bars, rows, BY, choose=choose, own=["y"], height={"step": 30 if choose else 16}),
        rows,
    )


def _rows(probed: Sequence[tuple[Figures, Probe]]) -> pd.DataFrame:
    """Return seconds of a call, and the share of each part in percent."""
    measured = [
        (*OF_CASE(each), each.seconds, probe.single, np.nan if probe.elements is None else probe.elements)
        for each, probe in probed
    ]
    rows = of_cases("case", measured, "seconds", "single", "rate")
    seconds, single, rate = (rows[name].to_numpy() for name in ("seconds", "single", "rate"))
    hidden = np.isnan(rate)
    call = np.minimum(single, seconds)
    elements = seconds - call
    sizes = rows["n"].to_numpy()
    computing = np.where(hidden, 0.0, np.where(sizes <= CACHED, elements, np.minimum(elements, rate * sizes)))
    told = (call, computing, np.where(hidden, 0.0, elements - computing), np.where(hidden, elements, 0.0))
    shares = {part: np.round(100 / seconds * own, 2) for part, own in zip(PARTS, told, strict=True)}
    counts = rows["n"].map({size: count(size) for size in rows["n"].unique().tolist()})
    case = rows["backend"] + ", " + rows["strategy"] + ", n = " + counts
    return rows[[*BY, "seconds"]].assign(case=case, **shares)
