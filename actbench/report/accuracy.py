"""What ``actbench accuracy`` found, in its formats."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pandas as pd

from actbench.analysis.accuracy import Accuracy, Errors, Loss, Part
from actbench.report.numbers import count, significant
from actbench.report.table import Table, markdown

NOTHING = Loss()


def tables(found: Sequence[Accuracy], *, exact: bool) -> list[Table]:
    """Return a table a dtype, one row a kernel."""
    dtypes = dict.fromkeys(item.kernel.dtype for item in found)
    return [_table(dtype, [item for item in found if item.kernel.dtype == dtype], exact=exact) for dtype in dtypes]


def _table(dtype: str, found: Sequence[Accuracy], *, exact: bool) -> Table:
    kept = "correctly rounded" if exact else "as numpy's forward pass gives it"
    looked = (
        "every finite number"
        if all(item.exhaustive for item in found)
        else f"{count(max(sum(tail.points for tail in item.tails.values()) for item in found))} z in both tails"
    )
    known = {item.kernel.activation: item.digits for item in found if item.digits is not None}
    by_differences = "".join(
        f" g' of {name} is known by differences, to about {digits:.0f} digits: what is not known counts as no error."
        for name, digits in known.items()
    )
    rows = tuple(
        (
            *(item.kernel.activation, item.kernel.strategy, item.kernel.backend),
            *(significant(value, 2) for value in (item.normal.median, item.normal.p99, item.normal.largest)),
            *_tail(item, Part.LEFT),
            *_tail(item, Part.RIGHT),
        )
        for item in found
    )
    lost = ("1 %", "0", "NaN")
    return Table(
        f"Error of g' in ULP, {dtype}",
        f"Looked at: {looked}, and {count(found[0].normal.points)} from N(0, 1). What a strategy keeps is {kept}. "
        "N: those from N(0, 1). 1 %, 0, NaN: the |z| from which a result is off by more, 0, or no finite number, where "
        f"g' is a normal number, as a search finds them.{by_differences}",
        (
            *("activation", "strategy", "backend", "N: median", "N: p99", "N: max"),
            *(f"{tail}: {figure}" for tail in ("z<0", "z>0") for figure in ("max", *lost)),
        ),
        rows,
        labels=3,
    )


def _tail(item: Accuracy, part: Part) -> Iterator[str]:
    loss = item.losses[part]
    yield significant(item.tails[part].largest, 2)
    for value, digits in ((loss.wrong, 3), (loss.zero, 4), (loss.nan, 4)):  # the first is where rounding decides
        yield "" if value is None else significant(value, digits)


def as_markdown(found: Sequence[Accuracy], *, exact: bool) -> str:
    """Return the tables in Markdown."""
    return "\n".join(map(markdown, tables(found, exact=exact)))


def as_csv(found: Sequence[Accuracy]) -> str:
    """Return one row a kernel and part of the line, in full precision: N(0, 1), the tails, then their bands."""
    return str(pd.DataFrame([*_rows(found)]).to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def as_json(found: Sequence[Accuracy]) -> str:
    """Return an array of the rows of the CSV; what is infinite or does not exist is null."""
    rows = [{name: _finite(value) for name, value in row.items()} for row in _rows(found)]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"


def _rows(found: Sequence[Accuracy]) -> Iterator[dict[str, Any]]:
    for item in found:
        yield _row(item, item.normal, NOTHING)
        for part, errors in item.tails.items():
            yield _row(item, errors, item.losses[part])
        for errors in item.bands:
            yield _row(item, errors, NOTHING)


def _row(item: Accuracy, errors: Errors, loss: Loss) -> dict[str, Any]:
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
        "wrong_from": loss.wrong,
        "zero_from": loss.zero,
        "nan_from": loss.nan,
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
