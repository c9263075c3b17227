"""Where each case's time goes: the call itself, computing what lies in cache, and what larger arrays cost beyond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import altair as alt

from actbench.analysis.figures import Figures
from actbench.model import CACHED, Calibration, Case, Probe
from actbench.report.charts.style import Picture, Row, blank, panels, picture, with_panels
from actbench.report.numbers import count, significant
from actbench.runs.times import Times

PARTS = {"the call": "#56B4E9", "computing in cache": "#009E73", "memory and allocation": "#D55E00"}

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
    rows = [row for each in found for row in _rows(each, probes)]
    if not rows:
        return None
    rows = with_panels(rows, BY)
    chart = (
        blank()
        .mark_bar(height=11)
        .encode(
            alt.X("share:Q", axis=alt.Axis(title="share of the time of a call, %"), scale=alt.Scale(domain=[0, 100])),
            alt.Y("case:N", sort=None, axis=alt.Axis(title=None, labelLimit=320)),
            alt.Color("part:N", scale=alt.Scale(domain=[*PARTS], range=[*PARTS.values()]), title=None),
            alt.Order("place:Q"),
            tooltip=[f"{name}:N" for name in ("case", "part", "share", "time")],
        )
    )
    return picture(
        "parts",
        "Where the time goes",
        "Stacked bars, one a case: the share of a call's time that one element takes as well, the share that the "
        f"elements would take at the rate of {CACHED} elements in cache, and the rest, which is memory and allocation.",
        panels(chart, rows, BY, choose=choose, own=["y"], height=alt.Step(16)),
        rows,
    )


def _rows(each: Figures, probes: Mapping[Case, Probe]) -> Iterator[Row]:
    if each.case not in probes:
        return
    probe = probes[each.case]
    call = min(probe.single, each.seconds)
    work = max(0.0, probe.cached - probe.single) * each.size / CACHED
    computing = min(work, each.seconds - call)
    shares = dict(zip(PARTS, (call, computing, each.seconds - call - computing), strict=True))
    of = {
        "activation": each.activation,
        "op": str(each.op),
        "dtype": str(each.dtype),
        "case": f"{each.backend}, {each.strategy}, n = {count(each.size)}",
    }
    for place, (part, seconds) in enumerate(shares.items()):
        yield {
            **of,
            "part": part,
            "place": place,
            "share": round(100 * seconds / each.seconds, 2),
            "time": f"{significant(1e6 * seconds, 3)} µs",
        }
