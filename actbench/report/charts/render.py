"""Make SVG, PNG or HTML of a chart; nothing is fetched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

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


class Library:
    """The JavaScript that draws Vega-Lite in a page: it defines ``vegaEmbed``.

    Bundling it takes a second, so another process does that meanwhile.
    """

    MAKE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;'))"

    def __enter__(self) -> Self:
        """Begin; what it writes is taken in as it comes, because it ends no sooner."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-X", "utf8", "-c", self.MAKE], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._reader = ThreadPoolExecutor(1)
        self._written = self._reader.submit(self._process.communicate)
        return self

    def __exit__(self, *_: object) -> None:
        """End it, wanted or not."""
        self._process.kill()
        self._reader.shutdown()

    def text(self) -> str:
        """Return it; `RuntimeError` where it could not be made."""
        made, complaints = self._written.result()
        if self._process.returncode:
            raise RuntimeError(f"vl-convert could not bundle Vega-Lite: {complaints.decode(errors='replace')}")
        return made.decode()


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
