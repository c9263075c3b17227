"""Every round of every case, relative to the case's median: shows drift, outliers and bimodal processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from actbench.analysis.statistics import Floats, medians
from actbench.model.cases import Block, Case
from actbench.model.kernel_copies import KERNEL_COPIES
from actbench.model.times import Times
from actbench.report.charts.grammar import dashed, mark, nominal, quantitative, tips
from actbench.report.charts.signs import COPY_NAME, Signs
from actbench.report.charts.style import Picture, panels, picture, with_panels

FACETS = ("block",)

STEPS = [base * 10**power for power in range(6) for base in (1, 2, 5)]
"""Distances between ticks."""

MOST_TICKS = 12
"""Largest number of ticks."""

MOST_BLOCKS = 48
"""Largest number of blocks in the chart."""


def rounds(
    times: Times,
    middles: Mapping[Block, Floats],
    signs: Signs,
    keep: Callable[[Case], bool] | None = None,
    *,
    choose: bool = False,
) -> Picture | None:
    """Return the chart of all blocks, or of the cases to keep; None where nothing was measured.

    `middles` are the medians of rounds, by arm.
    """
    shown = [block for block in times.blocks if keep is None or any(map(keep, block.cases))]
    omitted = ""
    if len(shown) > MOST_BLOCKS:
        omitted = f" Of {len(shown)} blocks these are the {MOST_BLOCKS} with the largest deviations."
        loudest = {*sorted(shown, key=lambda block: _largest_deviation(middles[block]), reverse=True)[:MOST_BLOCKS]}
        shown = [block for block in shown if block in loudest]
    if not shown:
        return None
    points = [row for block in shown for row in _rows(block, times.rounds(block), middles[block], keep)]
    rows = with_panels(pd.DataFrame(points, columns=["block", "backend", "strategy", "round", "off"]), FACETS)
    axis = {"title": "round", "values": whole_ticks(rows["round"]), "format": "d"}
    encoding = {
        "x": quantitative("round", axis=axis, scale={"nice": False, "padding": 8}),
        "y": quantitative("off", axis={"title": "from the case's median, %"}),
        "color": signs.backend_colour(rows["backend"].unique()),
    }
    of_points = {
        "shape": signs.strategy_shape(rows["strategy"].unique()),
        "tooltip": tips("backend", "strategy", "round", "off"),
    }
    layers = [
        dashed("y", 0),
        mark("line", encoding | {"detail": nominal("strategy")}, opacity=0.25, strokeWidth=1),
        mark("point", encoding | of_points, filled=True, size=34, opacity=0.8),
    ]
    furthest: Any = rows.iloc[int(rows["off"].abs().argmax())]
    return picture(
        "rounds",
        "Rounds, one by one",
        "Points: the time of each case in each round, in percent of the case's median over rounds, by backend (colour) "
        f"and strategy (shape), the yardstick too. The furthest is {furthest['off']:+.1f} %, {furthest['strategy']} "
        f"with {furthest['backend']} in round {furthest['round']} of {furthest['block']}.{omitted}",
        panels({"layer": layers}, rows, FACETS, choose=choose, independent=["x", "y"]),
        rows,
    )


def whole_ticks(numbers: pd.Series[int]) -> list[int]:
    """Return every round, or every so many, of which there are few enough for an axis."""
    first, last = int(numbers.min()), int(numbers.max())
    step = next(step for step in STEPS if (last - first) / step < MOST_TICKS)
    return [*range(-(-first // step) * step, last + 1, step)]


def _off(middles: Floats) -> Floats:
    """Return the deviation of each round's median from the median over rounds, in percent, by round and arm."""
    return np.asarray(100 * (middles / medians(middles.T) - 1))


def _largest_deviation(middles: Floats) -> float:
    return float(np.max(np.abs(_off(middles))))


def _rows(
    block: Block, numbers: Sequence[int], middles: Floats, keep: Callable[[Case], bool] | None
) -> Iterator[tuple[Any, ...]]:
    for number, values in zip(numbers, _off(middles).round(3).tolist(), strict=True):
        for case, value in zip(block.timed, values, strict=True):
            if keep is None or case.is_yardstick or keep(case):
                backend = COPY_NAME if case.is_plain_copy or case.strategy in KERNEL_COPIES else case.backend
                yield block.id, backend, case.strategy, number, value
