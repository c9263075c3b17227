"""The comparison of two runs: each case's time in copies, baseline over candidate, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import pandas as pd

from actbench.analysis.between_runs import TIME, Contrast, Trend
from actbench.report.charts.grammar import Spec, dashed, end, mark, nominal, quantitative, scale, tips
from actbench.report.charts.style import ABOVE, Drawn, Picture, intervals, picture

COLOURS = {
    Trend.FASTER: "#0072B2",
    Trend.SLOWER: "#D55E00",
    Trend.UNDECIDED: "#7F7F7F",
}

COLUMNS = ["case", "ratio", "low", "high", "finding"]

FIXED_WIDTH: Spec = {"width": 420, "height": {"step": 15}}
CONTAINER_WIDTH: Spec = {"width": "container", "height": {"step": 32}}


def compare(contrasts: Sequence[Contrast], *, narrow: bool = False) -> Picture | None:
    """Return the chart of the cases that both runs have; None where there are none.

    With `narrow`, it is as wide as its container, and names stand above their points, not beside them.
    """
    kept = [row for row in contrasts if row.figure == TIME and row.by == "case" and not isnan(row.ratio.value)]
    if not kept:
        return None
    rows = pd.DataFrame([(row.name, *row.ratio, row.finding) for row in kept], columns=COLUMNS)
    findings = [finding for finding in COLOURS if any(row.finding == finding for row in kept)]
    axis = {"title": "times faster, relative to a plain copy", "tickCount": 5, "labelOverlap": "greedy", "format": "~g"}
    x = quantitative("ratio", scale={"type": "log", "nice": False, "padding": 12}, axis=axis)
    of_case = {
        "y": nominal("case", sort=None, axis={"title": None, "labelLimit": 420} | (ABOVE if narrow else {})),
        "color": nominal(
            "finding",
            scale=scale([str(finding) for finding in findings], [COLOURS[finding] for finding in findings]),
            title="the second run is",
        ),
    }
    tooltip = tips("case", "ratio", "low", "high", "finding")
    layers = [
        dashed("x", 1.0),
        mark("rule", of_case | {"x": quantitative("low"), "x2": end("high")}, strokeWidth=2),
        mark("point", of_case | {"x": x, "tooltip": tooltip}, filled=True, size=40),
    ]
    bars, note = intervals(rows["low"], "too few rounds in a run")
    tally = ", ".join(f"{sum(row.finding == finding for row in kept)} {finding}" for finding in findings)
    return picture(
        "compare",
        "The second run compared with the first",
        "Points, one a case: how many times faster the case is in the second run than in the first, relative to the "
        f"yardstick, on a logarithmic axis.{bars} The dashed line is 1, no difference. A difference on one host is "
        f"named only where the time itself shows it as well. {tally}.",
        Drawn({"layer": layers} | (CONTAINER_WIDTH if narrow else FIXED_WIDTH)),
        rows,
        note,
    )
