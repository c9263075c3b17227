"""Rendering of a chart as SVG, PNG or HTML; nothing is downloaded."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import vl_convert

from actbench.errors import InputError
from actbench.report.charts.data import by_row
from actbench.report.charts.grammar import Spec
from actbench.report.charts.style import DATA, Picture, themed

SCALE = 2.0
"""Pixels of a PNG per pixel of the chart."""

FORMATS = ("svg", "png", "html")


VEGA_LITE = "application/vnd.vegalite.v5+json"
"""The type under which a notebook draws a specification itself."""


def form_of(path: Path) -> str:
    """Return the format by the suffix of a file's name; `InputError` where it is none of `FORMATS`."""
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise InputError(f"-o {path}: name a file that ends in .{', .'.join(FORMATS)}")
    return form


def rendered(shown: Picture, form: str, theme: str) -> bytes:
    """Return the file's contents."""
    spec = complete(shown, theme)
    match form:
        case "svg":
            svg: str = vl_convert.vegalite_to_svg(spec)
            return svg.encode()
        case "png":
            return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE))
        case _:
            html: str = vl_convert.vegalite_to_html(spec, bundle=True)
            return html.encode()


def mime_bundle(shown: Picture, theme: str) -> dict[str, Any]:
    """Return what a notebook shows, by type: it draws the specification, or shows one of the images."""
    return {
        VEGA_LITE: complete(shown, theme),
        "image/svg+xml": rendered(shown, "svg", theme).decode(),
        "image/png": b64encode(rendered(shown, "png", theme)).decode(),
        "text/plain": f"{shown.title}\n{shown.description}",
    }


def complete(shown: Picture, theme: str) -> Spec:
    """Return the specification with its data, title and colours."""
    below = [line for line in (shown.alike, shown.note) if line]
    title = {"text": shown.title} | ({"subtitle": below} if below else {})
    return themed(shown.spec | {"title": title, "datasets": {DATA: by_row(shown.rows)}}, theme)
