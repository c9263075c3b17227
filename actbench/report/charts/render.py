"""Rendering of a chart as SVG, PNG or HTML; nothing is downloaded."""

from __future__ import annotations

import vl_convert

from actbench.report.charts.data import by_row
from actbench.report.charts.style import DATA, Picture, themed

SCALE = 2.0
"""Pixels of a PNG per pixel of the chart."""

FORMATS = ("svg", "png", "html")


def rendered(shown: Picture, form: str, theme: str) -> bytes:
    """Return the file's contents."""
    below = [line for line in (shown.alike, shown.note) if line]
    title = {"text": shown.title} | ({"subtitle": below} if below else {})
    spec = themed(shown.spec | {"title": title, "datasets": {DATA: by_row(shown.rows)}}, theme)
    match form:
        case "svg":
            svg: str = vl_convert.vegalite_to_svg(spec)
            return svg.encode()
        case "png":
            return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE))
        case _:
            html: str = vl_convert.vegalite_to_html(spec, bundle=True)
            return html.encode()
