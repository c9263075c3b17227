"""Every round of every case, as its distance from the case's median: drift, outliers and two-faced processes show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import altair as alt
import numpy as np

from actbench.model import Case
from actbench.report.charts.style import Picture, Row, backend_colour, data, panels, picture, with_panels
from actbench.runs.times import Times

BY = ("block",)


def rounds(times: Times, keep: Callable[[Case], bool] = lambda _: True, *, choose: bool = False) -> Picture | None:
    """Return the chart of all blocks; None when none was measured."""
    rows = [*_rows(times, keep)]
    if not rows:
        return None
    rows = with_panels(rows, BY)
    base = alt.Chart(data(rows))
    x = alt.X(
        "round:Q", axis=alt.Axis(title="round", tickMinStep=1, format="d"), scale=alt.Scale(nice=False, padding=8)
    )
    y = alt.Y("off:Q", axis=alt.Axis(title="from the case's median, %"))
    colour = backend_colour(row["backend"] for row in rows)
    dash = alt.Shape("strategy:N", title="strategy")
    tips = [f"{name}:N" for name in ("backend", "strategy", "round", "off")]
    points = base.mark_point(filled=True, size=34, opacity=0.8).encode(x, y, colour, dash, tooltip=tips)
    lines = base.mark_line(opacity=0.25, strokeWidth=1).encode(x, y, colour, detail="strategy:N")
    zero = base.mark_rule(strokeDash=[3, 3]).encode(y=alt.datum(0))
    furthest = max(rows, key=lambda row: abs(row["off"]))
    return picture(
        "rounds",
        "Rounds, one by one",
        "Points: the time of each case in each round, in percent of the case's median over rounds, by backend (colour) "
        f"and strategy (shape), the yardstick too. The furthest is {furthest['off']:+.1f} %, {furthest['strategy']} "
        f"with {furthest['backend']} in round {furthest['round']} of {furthest['block']}.",
        panels(alt.layer(zero, lines, points), rows, BY, choose=choose, own=["x", "y"]),
    )


def _rows(times: Times, keep: Callable[[Case], bool]) -> Iterator[Row]:
    for block in times.blocks:
        if not any(map(keep, block.cases)):
            continue
        seconds = np.nanmedian(times.seconds(block), axis=2)
        off = 100 * (seconds / np.median(seconds, axis=0) - 1)
        for number, values in zip(times.rounds(block), off.tolist(), strict=True):
            for case, value in zip(block.timed, values, strict=True):
                if not (case.is_yardstick or keep(case)):
                    continue
                yield {
                    "block": block.id,
                    "backend": case.backend,
                    "strategy": case.strategy,
                    "round": number,
                    "off": round(value, 3),
                }
