"""Two runs: each case's time in copies, baseline over candidate, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import altair as alt
import pandas as pd

from actbench.analysis.between import TIME, Contrast, Finding
from actbench.report.charts.style import ABOVE, Drawn, Picture, blank, picture, specification, tips

COLOURS = {
    Finding.FASTER: "#0072B2",
    Finding.SLOWER: "#D55E00",
    Finding.UNDECIDED: "#7F7F7F",
}

COLUMNS = ["case", "ratio", "low", "high", "finding"]

WIDE: dict[str, Any] = {"width": 420, "height": {"step": 15}}
NARROW: dict[str, Any] = {"width": "container", "height": {"step": 32}}


def compare(found: Sequence[Contrast], *, narrow: bool = False) -> Picture | None:
    """Return the chart of the cases that both runs have; None when there is none.

    With `narrow`, it is as wide as its place, and names stand above their points and not beside them.
    """
    kept = [each for each in found if each.figure == TIME and each.by == "case" and not isnan(each.ratio.value)]
    if not kept:
        return None
    rows = pd.DataFrame([(each.name, *each.ratio, each.finding) for each in kept], columns=COLUMNS)
    findings = [finding for finding in COLOURS if any(each.finding == finding for each in kept)]
    colour = alt.Color(
        "finding:N",
        scale=alt.Scale(domain=[str(each) for each in findings], range=[COLOURS[each] for each in findings]),
        title="the second run is",
    )
    base = blank()
    axis = alt.Axis(title="times faster, relative to a plain copy", tickCount=5, labelOverlap="greedy", format="~g")
    x = alt.X("ratio:Q", scale=alt.Scale(type="log", nice=False, padding=12), axis=axis)
    y = alt.Y("case:N", sort=None, axis=alt.Axis(title=None, labelLimit=420, **(ABOVE if narrow else {})))
    points = base.mark_point(filled=True, size=40).encode(
        x, y, colour, tooltip=tips("case", "ratio", "low", "high", "finding")
    )
    spans = base.mark_rule(strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high:Q"), y, colour)
    equal = base.mark_rule(strokeDash=[3, 3]).encode(x=alt.XDatum(1.0))
    tally = ", ".join(f"{sum(one.finding == each for one in kept)} {each}" for each in findings)
    return picture(
        "compare",
        "The second run beside the first",
        "Points, one a case: how many times faster the case is in the second run than in the first, relative to the "
        f"yardstick, on a logarithmic axis; bars are 95 % intervals, the dashed line is 1, no difference. {tally}.",
        Drawn(specification(alt.layer(equal, spans, points)) | (NARROW if narrow else WIDE)),
        rows,
    )
