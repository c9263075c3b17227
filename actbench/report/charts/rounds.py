"""Every round of every case, as its distance from the case's median: drift, outliers and two-faced processes show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from actbench.analysis.statistics import Floats, medians
from actbench.model import Block, Case
from actbench.report.charts.style import (
    COPY,
    Picture,
    backend_colour,
    blank,
    panels,
    picture,
    strategy_shape,
    tips,
    with_panels,
)
from actbench.runs.times import Times

BY = ("block",)

MOST = 48
"""Blocks that are shown at most."""


def rounds(
    times: Times,
    middles: Mapping[Block, Floats],
    keep: Callable[[Case], bool] | None = None,
    *,
    choose: bool = False,
) -> Picture | None:
    """Return the chart of all blocks, or of the cases to keep; None when none was measured.

    `middles` are the medians of rounds, by arm.
    """
    shown = [block for block in times.blocks if keep is None or any(map(keep, block.cases))]
    told = ""
    if len(shown) > MOST:
        told = f" Of {len(shown)} blocks these are the {MOST} that scatter most."
        loudest = sorted(shown, key=lambda block: _scatter(middles[block]), reverse=True)[:MOST]
        shown = [block for block in shown if block in loudest]
    if not shown:
        return None
    found = [row for block in shown for row in _rows(block, times.rounds(block), middles[block], keep)]
    rows = with_panels(pd.DataFrame(found, columns=["block", "backend", "strategy", "round", "off"]), BY)
    base = blank()
    x = alt.X(
        "round:Q", axis=alt.Axis(title="round", tickMinStep=1, format="d"), scale=alt.Scale(nice=False, padding=8)
    )
    y = alt.Y("off:Q", axis=alt.Axis(title="from the case's median, %"))
    colour = backend_colour(rows["backend"].unique())
    shape = strategy_shape(rows["strategy"].unique())
    points = base.mark_point(filled=True, size=34, opacity=0.8).encode(
        x, y, colour, shape, tooltip=tips("backend", "strategy", "round", "off")
    )
    lines = base.mark_line(opacity=0.25, strokeWidth=1).encode(x, y, colour, detail=alt.Detail("strategy:N"))
    zero = base.mark_rule(strokeDash=[3, 3]).encode(y=alt.YDatum(0))
    furthest: Any = rows.iloc[int(rows["off"].abs().argmax())]
    return picture(
        "rounds",
        "Rounds, one by one",
        "Points: the time of each case in each round, in percent of the case's median over rounds, by backend (colour) "
        f"and strategy (shape), the yardstick too. The furthest is {furthest['off']:+.1f} %, {furthest['strategy']} "
        f"with {furthest['backend']} in round {furthest['round']} of {furthest['block']}.{told}",
        panels(alt.layer(zero, lines, points), rows, BY, choose=choose, own=["x", "y"]),
        rows,
    )


def _off(middles: Floats) -> Floats:
    """Return by round and arm how far the median of a round is from the median over rounds, in percent."""
    return np.asarray(100 * (middles / medians(middles.T) - 1))


def _scatter(middles: Floats) -> float:
    return float(np.max(np.abs(_off(middles))))


def _rows(
    block: Block, numbers: Sequence[int], middles: Floats, keep: Callable[[Case], bool] | None
) -> Iterator[tuple[Any, ...]]:
    for number, values in zip(numbers, _off(middles).round(3).tolist(), strict=True):
        for case, value in zip(block.timed, values, strict=True):
            if keep is None or case.is_yardstick or keep(case):
                backend = COPY if case.is_yardstick and case.backend == "numpy" else case.backend
                yield block.id, backend, case.strategy, number, value
