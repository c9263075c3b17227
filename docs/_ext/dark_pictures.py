"""A committed chart, which is on light paper, gets a version on dark paper; a page shows the one that matches it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from actbench.report.charts.style import FAINT, INK, PAPER

FIGURES = Path(__file__).parents[2] / "results" / "reference" / "figures"

FOLDER = "_dark"
"""Where the dark versions are while the documents are built; git ignores it."""

SHOWN = re.compile(r"!\[(?P<words>[^]]+)\]\((?P<path>[./]*results/reference/figures/(?P<name>[\w-]+\.svg))\)")


def dark(svg: str) -> str:
    """Return a chart on dark paper: ink, lines and paper are all that a theme changes."""
    for colour in (INK, FAINT, PAPER):
        svg = svg.replace(colour["light"], colour["dark"])
    return svg


def both(text: str) -> str:
    """Return a page that shows each chart twice, of which a reader sees one."""
    return SHOWN.sub(
        rf"![\g<words>](\g<path>){{.only-light}} ![\g<words>](/{FOLDER}/\g<name>){{.only-dark}}",
        text,
    )


def generate(app: Any) -> None:
    """Write the dark versions."""
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(exist_ok=True)
    for figure in FIGURES.glob("*.svg"):
        (folder / figure.name).write_text(dark(figure.read_text(encoding="utf-8")), encoding="utf-8")


def read(_: Any, __: str, source: list[str]) -> None:
    """Let a page show both."""
    source[0] = both(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Write the charts before pages are read, and change what is read after notebooks have become pages."""
    app.connect("builder-inited", generate)
    app.connect("source-read", read, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
