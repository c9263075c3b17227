"""Make SVG, PNG or HTML of a chart; nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import vl_convert

from actbench.report.charts.style import DATA, Picture, Row, themed

SCALE = 2.0
"""Pixels of a PNG a pixel of the chart."""

FORMATS = ("svg", "png", "html")


def rendered(shown: Picture, form: str, theme: str) -> bytes:
    """Return the file's contents."""
    spec = themed(shown.spec | {"title": shown.title, "datasets": {DATA: shown.rows}}, theme)
    match form:
        case "svg":
            return vl_convert.vegalite_to_svg(spec).encode()
        case "png":
            return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE))
        case _:
            return vl_convert.vegalite_to_html(spec, bundle=True).encode()


def by_column(rows: Sequence[Row]) -> dict[str, Any]:
    """Return data by column, which takes a fifth of the space.

    What a column repeats stands once, and is referred to by its place.
    """
    columns: dict[str, Any] = {}
    for field in dict.fromkeys(field for row in rows for field in row):
        values = [row.get(field) for row in rows]
        known = {value: place for place, value in enumerate(dict.fromkeys(values))}
        if 2 * len(known) < len(values):
            columns[field] = {"known": [*known], "at": [known[value] for value in values]}
        else:
            columns[field] = {"values": values}
    return {"size": len(rows), "columns": columns}


def as_json(spec: dict[str, Any]) -> str:
    """Return a specification that can stand in a page's script: no ``<`` could end it."""
    return msgspec.json.encode(spec).decode().replace("<", "\\u003c")
