"""The data of charts: tables of a few columns and tens of thousands of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from actbench.analysis.statistics import Floats

CHART_DIGITS = 6
"""Of a number in a chart: a ten thousandth of what a pixel shows."""

LARGEST_POWER = 300.0
"""Of ten, in float64, but for a few."""


def stacked(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of several tables; where one lacks a column, its rows have nothing there."""
    return pd.concat([table for table in tables if not table.empty], ignore_index=True)


def six_digits(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose floats have `CHART_DIGITS` digits and are finite, or missing."""
    return table.assign(**{str(name): rounded(column) for name, column in table.select_dtypes("float").items()})


def rounded(numbers: Any) -> Floats:
    """Return numbers in `CHART_DIGITS` decimal digits, as the nearest float64; NaN where one is not finite."""
    exact = np.asarray(numbers, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.clip(CHART_DIGITS - 1 - np.floor(np.log10(np.abs(exact))), -LARGEST_POWER, LARGEST_POWER)
        up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
        decimal = np.rint(exact * up / down) / up * down
    return np.where(np.isfinite(decimal), decimal, np.nan)


def by_row(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what Vega-Lite takes: objects, with None for what is missing."""
    return table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[return-value]


def by_column(table: pd.DataFrame) -> dict[str, Any]:
    """Return data by column, which takes a fifth of the space: `size` rows, and `columns`.

    What a column repeats stands once, and is referred to by its place.
    """
    columns: dict[str, Any] = {}
    for name, column in table.items():
        places, known = pd.factorize(column, use_na_sentinel=False)
        if 2 * len(known) < len(column):
            columns[str(name)] = {"known": _values(known), "at": places.tolist()}
        else:
            columns[str(name)] = {"values": _values(column)}
    return {"size": len(table), "columns": columns}


def _values(column: Any) -> list[Any]:
    series = pd.Series(column)
    return series.astype(object).where(series.notna(), None).tolist()
