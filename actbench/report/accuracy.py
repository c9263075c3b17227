"""The accuracy of kernels, in the formats of ``actbench accuracy``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import isfinite, isinf, isnan
from typing import Any

from actbench.analysis.accuracy import LOSS_TESTS, Accuracy, Errors, Loss, Part, RowAccuracy, Surveyed, Zone
from actbench.analysis.conventions import AtInfinity, AtKink, Conventions
from actbench.analysis.deviations import Largest
from actbench.model.names import Quantity
from actbench.model.number_formats import numpy_dtype
from actbench.model.training import SHIPPED
from actbench.report import gated, row_accuracy
from actbench.report.json_text import json_text
from actbench.report.numbers import count, significant
from actbench.report.table import Table, grouped, markdown

ZONE_DIGITS = {"wrong": 3, "zero": 4, "nan": 4}
"""Digits of the ends of zones, by field of `Loss`; the end of a zone of 1 % errors depends on details of rounding."""

PRECISE = {
    *(f"{name}_{end}" for name in LOSS_TESTS for end in ("from", "to")),
    *("zones", "at_nan", "at_infinity", "limit", "kinks", "worst_z", "relative_z", "absolute_z"),
}
"""Columns in full precision: ends of zones, special results, and the z of the largest errors."""

DECIDING = 17
"""Digits that distinguish any two numbers of float64."""

SHOWN = 2
"""Number of zones that a cell of a table shows."""


def tables(kernels: Sequence[Surveyed], *, exact: bool) -> list[Table]:
    """Return two tables per quantity and dtype: errors with zones, and special results.

    Kernels of one activation with the same figures have one row. Those of row activations have tables of their own.
    """
    groups: dict[tuple[Quantity, str], list[Accuracy]] = {}
    for item in kernels:
        if isinstance(item, Accuracy):
            groups.setdefault((item.quantity, item.kernel.dtype), []).append(item)
    tables_of_z = [
        table
        for (quantity, dtype), group in groups.items()
        for table in (_table(quantity, dtype, group, exact=exact), _special(quantity, dtype, group))
    ]
    return [*tables_of_z, *row_accuracy.tables([item for item in kernels if isinstance(item, RowAccuracy)])]


def _table(quantity: Quantity, dtype: str, kernels: Sequence[Accuracy], *, exact: bool) -> Table:
    truth = quantity.symbol
    kept = _residuals(kernels, exact=exact) if quantity is not Quantity.FORWARD else ""
    most = max(sum(tail.points for tail in item.tails.values()) for item in kernels)
    looked = "every finite number" if all(item.exhaustive for item in kernels) else f"{count(most)} z in both tails"
    known = {item.kernel.activation: item.digits for item in kernels if item.digits is not None}
    by_differences = "".join(
        f" {truth} of {name} is known by differences, to about {digits:.0f} digits; the uncertainty does not count as "
        "error."
        for name, digits in known.items()
    )
    rows = _alike_as_one(
        (
            *_names(item),
            *(ulp(value) for value in (item.normal.median, item.normal.p99, item.normal.largest.size)),
            *_tail(item, Part.LEFT),
            *_tail(item, Part.RIGHT),
        )
        for item in kernels
    )
    return Table(
        f"Error of {truth} in ULP, {dtype}",
        f"Evaluated at {looked}, and at {count(kernels[0].normal.points)} from N(0, 1). {kept}N: "
        "errors over N(0, 1). 1 %, 0, NaN: the |z| at which a result is off by more, is 0, or is not a finite number, "
        f"found by a search. A zone ends where results are right again, or where {truth} is not a normal number; 'on' "
        f"marks a zone that does not end.{gated.of_survey(kernels)}{by_differences}",
        (
            *("activation", "strategy", "backend", "N: median", "N: p99", "N: max"),
            *(f"{tail}: {figure}" for tail in ("z<0", "z>0") for figure in ("max", "1 %", "0", "NaN")),
        ),
        rows,
        labels=3,
    )


def _residuals(kernels: Sequence[Accuracy], *, exact: bool) -> str:
    """Say what is kept by strategies, and by frameworks."""
    shipped = [item.kernel.strategy == SHIPPED for item in kernels]
    ours = "Residuals are correctly rounded" if exact else "Residuals are those of numpy's forward pass"
    theirs = f"{SHIPPED} keeps what the framework does"
    return f"{theirs}. " if all(shipped) else f"{ours}; {theirs}. " if any(shipped) else f"{ours}. "


def _special(quantity: Quantity, dtype: str, kernels: Sequence[Accuracy]) -> Table:
    truth = quantity.symbol
    kinks = any(item.conventions.kinks for item in kernels)
    about_kinks = (
        " A kink is where the slopes before and after it differ; in parentheses are both, and what actbench declares. "
        "Any slope between them that a framework returns counts as right."
        if kinks
        else ""
    )
    return Table(
        f"Relative and absolute error of {truth}, and its conventions, {dtype}",
        f"The largest errors over both tails, and the z at which they are; the relative one is of {truth}, or of the "
        f"smallest normal number where {truth} is smaller. NaN, -∞, +∞: the results there, with the limit of {truth} "
        f"in parentheses where the result is another.{about_kinks}",
        (
            *("activation", "strategy", "backend", "relative", "at z", "absolute", "at z", "NaN", "-∞", "+∞"),
            *(("kinks",) if kinks else ()),
        ),
        _alike_as_one(
            (
                *_names(item),
                *_largest(item.largest_relative),
                *_largest(item.largest_absolute),
                _result(item.conventions.at_nan),
                *(_at_infinity(item.conventions.infinities[part]) for part in (Part.LEFT, Part.RIGHT)),
                *(("; ".join(map(_kink, item.conventions.kinks)),) if kinks else ()),
            )
            for item in kernels
        ),
        labels=3,
    )


def _names(item: Accuracy) -> tuple[str, str, str]:
    return item.kernel.activation, str(item.kernel.strategy), item.kernel.backend


def _alike_as_one(rows: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the rows, those of an activation with the same figures as one, first by backend, then by strategy."""
    return grouped(grouped(rows, 2), 1)


def _largest(error: Largest) -> tuple[str, str]:
    return ulp(error.size), significant(error.z, 4) if error.size else ""


def _result(value: float) -> str:
    """Return a result in words, NaN and infinity included."""
    return "NaN" if isnan(value) else f"{'-' if value < 0 else ''}∞" if isinf(value) else f"{value + 0:.6g}"


def _at_infinity(at: AtInfinity) -> str:
    return f"{_result(at.result)} ({_result(at.limit)})" if at.differs else _result(at.result)


def _kink(kink: AtKink) -> str:
    sides = f"{_result(kink.before)} and {_result(kink.after)}, {_result(kink.declared)}"
    return f"{_result(kink.result)} at {kink.z:g} ({sides})"


def ulp(value: float | None) -> str:
    """Return an error in two digits; ``-`` for a missing percentile."""
    return "-" if value is None else significant(value, 2)


def _tail(item: Accuracy, part: Part) -> Iterator[str]:
    yield ulp(item.tails[part].largest.size)
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


def as_markdown(kernels: Sequence[Surveyed], *, exact: bool) -> str:
    """Return the tables in Markdown."""
    return "\n".join(map(markdown, tables(kernels, exact=exact)))


def as_csv(kernels: Sequence[Surveyed]) -> str:
    """Return one row per kernel and part of the real line: N(0, 1), the tails, then their bands; or band of spreads.

    Errors have six digits, the ends of zones as many as they need; an end is ``inf`` where a zone has none.
    """
    import pandas as pd  # which takes long, and nothing else here needs

    rows = [
        {name: _in_csv(value) if name in PRECISE else value for name, value in row.items()} for row in _rows(kernels)
    ]
    return str(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def _in_csv(value: float | str | list[dict[str, Any]] | None) -> str | None:
    """Return a number in full precision, or all zones or kinks: ``wrong 12.8 to 87.3; zero 17.3 to 87.3``."""
    if isinstance(value, list):
        return "; ".join(map(_one_in_csv, value))
    return value if value is None or isinstance(value, str) else repr(value)


def _one_in_csv(item: dict[str, Any]) -> str:
    if "lost" in item:
        return f"{item['lost']} {item['from']!r} to {item['to']!r}"
    return (
        f"z {item['z']}: {item['result']} ({item['before']} before, {item['after']} after, {item['declared']} declared)"
    )


def as_json(kernels: Sequence[Surveyed]) -> str:
    """Return an array of the rows of the CSV, an infinite number as the string "inf".

    Null marks what does not exist: a percentile of too few points, or the first zone of a tail without zones. Zones are
    searched in whole tails, so other rows have no such fields.
    """
    return json_text(list(_rows(kernels))) + "\n"


def _rows(kernels: Sequence[Surveyed]) -> Iterator[dict[str, Any]]:
    for item in kernels:
        if isinstance(item, RowAccuracy):
            yield from (_row(item, errors) for errors in (*item.bands, *item.each))
            continue
        yield _row(item, item.normal)
        for part, errors in item.tails.items():
            yield _row(item, errors) | _at_ends(item.conventions, part) | _zones(item, item.losses[part])
        for errors in item.bands:
            yield _row(item, errors)


def _row(item: Surveyed, errors: Errors) -> dict[str, Any]:
    kernel = item.kernel
    return {
        "activation": kernel.activation,
        "strategy": kernel.strategy,
        "backend": kernel.backend,
        "dtype": str(kernel.dtype),
        "of": str(item.quantity),
        "part": str(errors.part),
        "low": errors.low,
        "high": errors.high,
        "points": errors.points,
        "median_ulp": errors.median,
        "p99_ulp": errors.p99,
        "max_ulp": errors.largest.size,
        "worst_z": errors.largest.z,
        "max_relative": errors.relative.size,
        "relative_z": errors.relative.z,
        "max_absolute": errors.absolute.size,
        "absolute_z": errors.absolute.z,
        "wrong": errors.wrong,
    }


def _at_ends(conventions: Conventions, part: Part) -> dict[str, Any]:
    """Return the results at NaN, at the infinity of a tail, and at the kinks in it."""
    end = conventions.infinities[part]
    kinks = [kink for kink in conventions.kinks if (kink.z < 0) is (part is Part.LEFT)]
    return {
        "at_nan": _number(conventions.at_nan),
        "at_infinity": _number(end.result),
        "limit": None if isnan(end.limit) else _number(end.limit),
        "kinks": [{name: _number(value) for name, value in asdict(kink).items()} for kink in kinks],
    }


def _number(value: float) -> float | str:
    """Return a number, NaN and infinity as text: null and an empty cell mean that there is none."""
    return value if isfinite(value) else str(value)


def _zones(item: Accuracy, loss: Loss) -> dict[str, Any]:
    """Return the ends of the zone nearest to 0 of each kind, and all zones."""
    number = numpy_dtype(item.kernel.dtype).type
    row: dict[str, Any] = {}
    zones: list[dict[str, Any]] = []
    for name in LOSS_TESTS:
        ends = [[float(str(number(end))) for end in (zone.first, zone.last)] for zone in getattr(loss, name)]
        row[f"{name}_from"], row[f"{name}_to"] = ends[0] if ends else (None, None)
        for (first, last), zone in zip(ends, getattr(loss, name), strict=True):
            zones.append({"lost": name, "from": first, "to": last, "whole": zone.whole})
    return row | {"zones": zones}
