"""From the sections of a page to its HTML; large parts are compressed while others are made."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import jinja2

from actbench.report.charts.data import by_column
from actbench.report.charts.style import config
from actbench.report.page.escaped import body, unbroken
from actbench.report.page.packing import as_json, packed
from actbench.report.page.sections import PageSection

FITTED = {"autosize": {"type": "fit-x", "contains": "padding"}}
"""Charts take the width of the page."""

MOST_ROWS = 1000
"""Number of rows of a section's tables above which they are compressed and every table is folded."""


class Packer:
    """A page that is being made, with a thread that compresses: it releases the GIL, so the largest part goes first."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Compress the files that the page offers, by name."""
        self._thread = ThreadPoolExecutor(1)
        self._texts = {name: self._thread.submit(packed, text) for name, text in files.items()}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread."""
        self._thread.shutdown()

    def rendered(
        self, title: str, sections: Sequence[PageSection], library: Callable[[], bytes] | None, made_by: str
    ) -> str:
        """Return the page; `library` returns the compressed JavaScript that draws the charts, None where are none."""
        environment, texts = _environment(), self._texts
        charts = [chart for section in sections for chart in section.charts]
        texts["rows"] = self._thread.submit(packed, as_json({chart.kind: by_column(chart.rows) for chart in charts}))
        for section in sections:
            if sum(len(table.rows) for table in section.tables) > MOST_ROWS:
                tables = environment.get_template("tables.html").render(section=section, folded=True)
                texts[section.id] = self._thread.submit(packed, tables)
        return environment.get_template("page.html").render(
            title=f"actbench: {title}",
            sections=sections,
            specs=as_json({chart.kind: chart.spec | FITTED for chart in charts}),
            themes=as_json({theme: _config(theme) for theme in ("light", "dark")}),
            packed={name: text.result() for name, text in texts.items()}
            | ({"library": b64encode(library()).decode()} if library else {}),
            made_by=made_by,
        )


def _config(theme: str) -> dict[str, Any]:
    """Return a theme for charts as wide as the page, with their legends below."""
    plain = config(theme)
    below = {"orient": "bottom", "layout": {"bottom": {"anchor": "start", "direction": "vertical"}}}
    return plain | {"legend": plain["legend"] | below}


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("actbench.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["zip"] = zip
    environment.filters |= {"body": body, "unbroken": unbroken}
    return environment
