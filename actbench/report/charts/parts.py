"""Where each case's time goes: the call itself, the elements in cache, and the further cost of larger arrays.

Each part is drawn with the share that is certain, the lower end of its 95 % interval over rounds. The rest of a case's
time belongs to no known part; without intervals, that is all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from actbench.analysis.bottlenecks import Parts
from actbench.analysis.figures import Figures
from actbench.analysis.interval import Interval
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.model.cases import Case
from actbench.model.names import OperandState
from actbench.model.plan import IN_CACHE_SIZE
from actbench.report.charts.grammar import mark, nominal, quantitative, scale, tips
from actbench.report.charts.over_sizes import DRAWN_FIELDS, FACETS, STATE, facets, meanings, of_cases
from actbench.report.charts.signs import GREY
from actbench.report.charts.style import ABOVE, Picture, panels, picture, with_panels
from actbench.report.numbers import size_of

CALL, COMPUTING, BEYOND = "the call", "the elements in cache", "memory and allocation"
HIDDEN = "the elements, not told apart"
REST = "not known"

PART_COLOURS = {CALL: "#56B4E9", COMPUTING: "#009E73", BEYOND: "#D55E00", HIDDEN: GREY, REST: "#d6d9dd"}
"""The parts of a case's time, with their colours: `HIDDEN` where a call hides the time in cache (`Parts.hidden`)."""

BAR_HEIGHT = 11
"""Height of a bar in pixels."""


def parts(figures: Sequence[Figures], *, choose: bool = False) -> Picture | None:
    """Return the chart of all cases that were probed; None where there are none."""
    probed = [(row, row.parts) for row in figures if row.parts]
    if not probed:
        return None
    rows = _rows(probed)
    by = facets(rows)
    rows = with_panels(rows, by)
    shown = {part: colour for part, colour in PART_COLOURS.items() if rows[part].any()}
    fold = [
        {"fold": [*shown], "as": ["part", "share"]},
        {"calculate": f"indexof({[*shown]}, datum.part)", "as": "place"},
        {"calculate": "datum['interval of ' + datum.part]", "as": "interval"},
    ]
    few = not any(known.known for _, known in probed)
    why = f" (no intervals: they take {MIN_ROUNDS} rounds)" if few else ", at least"
    axis = {"title": f"share of a call's time, %{why}", "values": [0, 25, 50, 75, 100]}
    encoding = {
        "x": quantitative("share", axis=axis, scale={"domain": [0, 100]}),
        "y": nominal("case", sort=None, axis={"title": None, "labelLimit": 320} | (ABOVE if choose else {})),
        "color": nominal("part", scale=scale([*shown], [*shown.values()]), title=None),
        "order": quantitative("place"),
        "tooltip": tips("case", "part", "interval"),
    }
    bars = mark("bar", encoding, height=BAR_HEIGHT, yOffset=BAR_HEIGHT / 2 if choose else 0)
    return picture(
        "parts",
        "Where the time goes",
        "Stacked bars, one a case: the share of a call's time that one element takes as well, the share that the "
        f"elements would take at the rate of {IN_CACHE_SIZE} elements in cache, and in larger arrays the rest, which "
        "is memory and allocation; where a call hides that rate, the share of all elements. Each part is drawn as "
        "large as it is at the lower end of its 95 % interval over rounds, and what is left of the bar is not known."
        + meanings(rows)
        + (f" Here nothing is known: intervals take {MIN_ROUNDS} rounds." if few else ""),
        panels(
            {"transform": fold} | bars,
            rows,
            by,
            choose=choose,
            independent=["y"],
            height={"step": 30 if choose else 16},
        ),
        rows,
    )


def _rows(probed: Sequence[tuple[Figures, Parts]]) -> pd.DataFrame:
    """Return one row per case: the certain share of each part in percent, and its interval in words."""
    shares = [_shares(row.case, parts) for row, parts in probed]
    rows = of_cases("case", [DRAWN_FIELDS(row.case) for row, _ in probed])
    case = rows["backend"] + ", " + rows["strategy"] + ", n = " + [size_of(row.case) for row, _ in probed]
    by_part = {part: [of_case.get(part) for of_case in shares] for part in PART_COLOURS if part != REST}
    certain = {part: [*map(_certain, of_part)] for part, of_part in by_part.items()}
    intervals = {f"interval of {part}": _words(of_part) for part, of_part in by_part.items()}
    rows = rows[[*FACETS, STATE]].assign(case=case, **certain)
    rest = (100 - rows[[*certain]].sum(axis=1)).clip(lower=0).round(2)
    return rows.assign(**{REST: rest}, **intervals, **{f"interval of {REST}": [f"{share:g} %" for share in rest]})


def _shares(case: Case, parts: Parts) -> dict[str, Interval]:
    """Return the parts that apply to a case: elements from memory take no time in cache."""
    call = parts.call
    elements = call.complement()
    if case.size <= IN_CACHE_SIZE and case.operands is OperandState.WARM:
        return {CALL: call, COMPUTING: elements}
    if case.size > IN_CACHE_SIZE and parts.hidden is False:
        return {CALL: call, COMPUTING: parts.computing, BEYOND: parts.beyond}
    return {CALL: call, HIDDEN: elements}


def _certain(share: Interval | None) -> float:
    if share is None:
        return 0.0
    low = share.low
    return round(100 * low, 2) if 0 < low < 1 else 100.0 if low >= 1 else 0.0


def _words(shares: Sequence[Interval | None]) -> list[str]:
    """Return the shares in percent with their intervals; they are formatted at once, as there are many."""
    known = [share for share in shares if share is not None]
    forms = ["%.1f %% (%.1f %% to %.1f %%)" if share.has_bounds else "%.1f %%" for share in known]
    numbers = [100 * number for share in known for number in (share if share.has_bounds else share[:1])]
    words = iter(("\n".join(forms) % tuple(numbers)).split("\n"))
    return ["" if share is None else next(words) for share in shares]
