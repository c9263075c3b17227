"""The data of charts: tables of a few columns and tens of thousands of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from actbench.analysis.statistics import Floats

CHART_DIGITS = 6
"""Digits of a number in a chart: they resolve a ten thousandth of a pixel."""

LARGEST_POWER = 300.0
"""Largest exponent of 10 that can be rounded in float64."""


def stacked(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of several tables; cells are missing where a table lacks a column."""
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
    """Return the form that Vega-Lite takes: one object per row, with None for missing values."""
    return table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[return-value]


def by_column(table: pd.DataFrame) -> dict[str, Any]:
    """Return data by column, which takes a fifth of the space: `size` rows, and `columns`.

    A column with repeated values holds each value once, and their indices.
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
