"""The accuracy of kernels, in the formats of ``actbench accuracy``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from actbench.analysis.accuracy import LOSS_TESTS, Accuracy, Errors, Loss, Part, Zone
from actbench.report.json_text import json_text
from actbench.report.numbers import count, significant
from actbench.report.table import Table, markdown

ZONE_DIGITS = {"wrong": 3, "zero": 4, "nan": 4}
"""Digits of the ends of zones, by field of `Loss`; the end of a zone of 1 % errors depends on details of rounding."""

ZONE_FIELDS = (*(f"{name}_{end}" for name in LOSS_TESTS for end in ("from", "to")), "zones")

DECIDING = 17
"""Digits that distinguish any two numbers of float64."""

SHOWN = 2
"""Number of zones that a cell of a table shows."""


def tables(kernels: Sequence[Accuracy], *, exact: bool) -> list[Table]:
    """Return one table per dtype, with one row per kernel."""
    dtypes = dict.fromkeys(item.kernel.dtype for item in kernels)
    return [_table(dtype, [item for item in kernels if item.kernel.dtype == dtype], exact=exact) for dtype in dtypes]


def _table(dtype: str, kernels: Sequence[Accuracy], *, exact: bool) -> Table:
    kept = "correctly rounded" if exact else "those of numpy's forward pass"
    looked = (
        "every finite number"
        if all(item.exhaustive for item in kernels)
        else f"{count(max(sum(tail.points for tail in item.tails.values()) for item in kernels))} z in both tails"
    )
    known = {item.kernel.activation: item.digits for item in kernels if item.digits is not None}
    by_differences = "".join(
        f" g' of {name} is known by differences, to about {digits:.0f} digits; the uncertainty does not count as error."
        for name, digits in known.items()
    )
    rows = tuple(
        (
            *(item.kernel.activation, item.kernel.strategy, item.kernel.backend),
            *(ulp(value) for value in (item.normal.median, item.normal.p99, item.normal.largest)),
            *_tail(item, Part.LEFT),
            *_tail(item, Part.RIGHT),
        )
        for item in kernels
    )
    lost = ("1 %", "0", "NaN")
    return Table(
        f"Error of g' in ULP, {dtype}",
        f"Evaluated at {looked}, and at {count(kernels[0].normal.points)} from N(0, 1). Residuals are {kept}. N: "
        "errors over N(0, 1). 1 %, 0, NaN: the |z| at which a result is off by more, is 0, or is not a finite number, "
        "found by a search. A zone ends where results are right again, or where g' is not a normal number; 'on' marks "
        f"a zone that does not end.{by_differences}",
        (
            *("activation", "strategy", "backend", "N: median", "N: p99", "N: max"),
            *(f"{tail}: {figure}" for tail in ("z<0", "z>0") for figure in ("max", *lost)),
        ),
        rows,
        labels=3,
    )


def ulp(value: float | None) -> str:
    """Return an error in two digits; ``-`` for a missing percentile."""
    return "-" if value is None else significant(value, 2)


def _tail(item: Accuracy, part: Part) -> Iterator[str]:
    yield ulp(item.tails[part].largest)
    for name, digits in ZONE_DIGITS.items():
        yield in_words(getattr(item.losses[part], name), digits)


def in_words(zones: Sequence[Zone], digits: int) -> str:
    """Return zones of |z|: ``12.8 to 87.3``, ``88.72 on``, ``at 3``, ``at 0, 5 on``, ``1 to 2, 3 to 4, 7 more``."""
    words = [_zone(zone, digits) for zone in zones[:SHOWN]]
    more = len(zones) - SHOWN
    return ", ".join([*words, f"{more} more"] if more > 0 else words)


def _zone(zone: Zone, digits: int) -> str:
    if zone.first == zone.last:
        return f"at {_shortest(zone.first, digits)}"
    if zone.is_open:
        return f"{significant(zone.first, digits)} on"
    return next(
        f"{first} to {last}"
        for first, last in (
            [significant(end, shown) for end in (zone.first, zone.last)] for shown in range(digits, DECIDING + 1)
        )
        if first != last
    )


def _shortest(value: float, digits: int) -> str:
    """Return a number in this many digits, without zeros at the end."""
    text = f"{value:g}"
    return text if float(text) == value else significant(value, digits)


def as_markdown(kernels: Sequence[Accuracy], *, exact: bool) -> str:
    """Return the tables in Markdown."""
    return "\n".join(map(markdown, tables(kernels, exact=exact)))


def as_csv(kernels: Sequence[Accuracy]) -> str:
    """Return one row per kernel and part of the real line: N(0, 1), the tails, then their bands.

    Errors have six digits, the ends of zones as many as they need; an end is ``inf`` where a zone has none.
    """
    rows = [
        {name: _in_csv(value) if name in ZONE_FIELDS else value for name, value in row.items()}
        for row in _rows(kernels)
    ]
    return str(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def _in_csv(value: float | list[dict[str, Any]] | None) -> str | None:
    """Return an end of a zone in full precision, or all zones: ``wrong 12.8 to 87.3; zero 17.3 to 87.3``."""
    if isinstance(value, list):
        return "; ".join(f"{zone['lost']} {zone['from']!r} to {zone['to']!r}" for zone in value)
    return None if value is None else repr(value)


def as_json(kernels: Sequence[Accuracy]) -> str:
    """Return an array of the rows of the CSV.

    An infinite number is the string "inf". Null marks what does not exist: a percentile of too few points, or the first
    zone of a tail without zones. Zones are searched in whole tails, so other rows have no such fields.
    """
    return json_text(list(_rows(kernels))) + "\n"


def _rows(kernels: Sequence[Accuracy]) -> Iterator[dict[str, Any]]:
    for item in kernels:
        yield _row(item, item.normal)
        for part, errors in item.tails.items():
            yield _row(item, errors) | _zones(item, item.losses[part])
        for errors in item.bands:
            yield _row(item, errors)


def _row(item: Accuracy, errors: Errors) -> dict[str, Any]:
    kernel = item.kernel
    return {
        "activation": kernel.activation,
        "strategy": kernel.strategy,
        "backend": kernel.backend,
        "dtype": str(kernel.dtype),
        "part": str(errors.part),
        "low": errors.low,
        "high": errors.high,
        "points": errors.points,
        "median_ulp": errors.median,
        "p99_ulp": errors.p99,
        "max_ulp": errors.largest,
        "worst_z": errors.worst_z,
        "wrong": errors.wrong,
    }


def _zones(item: Accuracy, loss: Loss) -> dict[str, Any]:
    """Return the ends of the zone nearest to 0 of each kind, and all zones."""
    number = np.dtype(item.kernel.dtype).type
    row: dict[str, Any] = {}
    zones: list[dict[str, Any]] = []
    for name in LOSS_TESTS:
        ends = [[float(str(number(end))) for end in (zone.first, zone.last)] for zone in getattr(loss, name)]
        row[f"{name}_from"], row[f"{name}_to"] = ends[0] if ends else (None, None)
        for (first, last), zone in zip(ends, getattr(loss, name), strict=True):
            zones.append({"lost": name, "from": first, "to": last, "whole": zone.whole})
    return row | {"zones": zones}
