"""Where each case's time goes: the call itself, computing what lies in cache, and what larger arrays cost beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from actbench.analysis.figures import Figures
from actbench.model import CACHED, Calibration, Probe
from actbench.report.charts.style import GREY, Picture, Row, blank, panels, picture, tips, with_panels
from actbench.report.numbers import count
from actbench.runs.times import Times

PARTS = {
    "the call": "#56B4E9",
    "computing in cache": "#009E73",
    "memory and allocation": "#D55E00",
    "the elements, not told apart": GREY,
}
"""Of a case's time; the last where a call hides what elements take in cache (`Probe.elements`)."""

TIME = "format(1e6 * datum.seconds * datum.share / 100, '.3~r') + ' µs'"

BY = ("activation", "op", "dtype")


def parts(
    times: Times, found: Sequence[Figures], calibrations: Mapping[str, Calibration], *, choose: bool = False
) -> Picture | None:
    """Return the chart of all cases that were probed while calibrating; None when none was."""
    probes = {
        case: probe
        for block in times.blocks
        for case, probe in zip(block.cases, calibrations[block.id].probes, strict=False)
    }
    rows = [_row(each, probes[each.case]) for each in found if each.case in probes]
    if not rows:
        return None
    rows = with_panels(rows, BY)
    shown = {part: colour for part, colour in PARTS.items() if any(row[part] for row in rows)}
    chart = (
        blank()
        .transform_fold([*shown], as_=["part", "share"])
        .transform_calculate(place=f"indexof({[*shown]}, datum.part)", time=TIME)
        .mark_bar(height=11)
        .encode(
            alt.X("share:Q", axis=alt.Axis(title="share of the time of a call, %"), scale=alt.Scale(domain=[0, 100])),
            alt.Y("case:N", sort=None, axis=alt.Axis(title=None, labelLimit=320)),
            alt.Color("part:N", scale=alt.Scale(domain=[*shown], range=[*shown.values()]), title=None),
            alt.Order("place:Q"),
            tooltip=tips("case", "part", "share", "time"),
        )
    )
    return picture(
        "parts",
        "Where the time goes",
        "Stacked bars, one a case: the share of a call's time that one element takes as well, the share that the "
        f"elements would take at the rate of {CACHED} elements in cache, and the rest, which is memory and allocation; "
        "where a call hides that rate, the share of all elements.",
        panels(chart, rows, BY, choose=choose, own=["y"], height=alt.Step(16)),
        rows,
    )


def _row(each: Figures, probe: Probe) -> Row:
    call = min(probe.single, each.seconds)
    elements = each.seconds - call
    computing = 0.0 if probe.elements is None else min(elements, probe.elements * each.size)
    told = (0.0, 0.0, elements) if probe.elements is None else (computing, elements - computing, 0.0)
    percent = 100 / each.seconds
    return {
        "activation": each.activation,
        "op": str(each.op),
        "dtype": str(each.dtype),
        "case": f"{each.backend}, {each.strategy}, n = {count(each.size)}",
        "seconds": each.seconds,
        **{part: round(percent * seconds, 2) for part, seconds in zip(PARTS, (call, *told), strict=True)},
    }
