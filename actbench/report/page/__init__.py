"""The report of a run, or of two: one HTML file that contains everything, downloads nothing and opens from disk.

Everything from a file or a user is escaped: by Jinja2 in the page and its tables, as JSON without ``<`` in its script.
Large parts are compressed: the drawing library, the charts' data, the files, and tables of many rows.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jinja2

from actbench.report import host, tables_csv
from actbench.report.charts.data import by_column
from actbench.report.charts.style import config
from actbench.report.page.packing import as_json, packed
from actbench.report.page.rows import body
from actbench.report.page.sections import comparison, labels, sections
from actbench.report.pictures import record_of
from actbench.report.results import analyse
from actbench.runs.archive import Run

FITTED = {"autosize": {"type": "fit-x", "contains": "padding"}}
"""Charts take the width of the page."""

MOST_ROWS = 1000
"""Number of rows of a section's tables above which they are compressed and every table is folded."""


def page(run: Run, library: Callable[[], bytes], baseline: Run | None = None) -> str:
    """Return the page of a run, compared with a baseline if there is one; then each title names the run.

    `library` returns the compressed JavaScript that draws the charts.

    `InputError` for a run without its run.json or without a finished block; `NotComparableError` for two runs that
    cannot be compared.
    """
    record = record_of(run)
    results = analyse(run.times, record)
    environment = _environment()
    title, *_ = names = labels(run, baseline) if baseline else [run.path.resolve().name]
    with ThreadPoolExecutor(1) as packer:  # compression releases the GIL, so the largest part is made first
        files = tables_csv.contents(results)
        texts = {name: packer.submit(packed, text) for name, text in files.items()}
        answer, *others = sections(run, results, files)
        shown = [answer, *others]
        if baseline:
            compared = comparison(baseline, run, names)
            title = compared.title
            answer = replace(answer, answers=(f"{title}: {compared.sentences[0]}", *answer.answers))
            answer, *others = (replace(section, title=f"{section.title}: {names[0]}") for section in (answer, *others))
            shown = [answer, compared, *others]
        charts = [chart for section in shown for chart in section.charts]
        texts["rows"] = packer.submit(packed, as_json({chart.kind: by_column(chart.rows) for chart in charts}))
        for section in shown:
            if sum(len(table.rows) for table in section.tables) > MOST_ROWS:
                tables = environment.get_template("tables.html").render(section=section, folded=True)
                texts[section.id] = packer.submit(packed, tables)
    return environment.get_template("page.html").render(
        title=f"actbench: {title}",
        sections=shown,
        specs=as_json({chart.kind: chart.spec | FITTED for chart in charts}),
        themes=as_json({theme: _config(theme) for theme in ("light", "dark")}),
        packed={name: text.result() for name, text in texts.items()} | {"library": b64encode(library()).decode()},
        made_by=host.line(record.environment),
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
    environment.filters["body"] = body
    return environment
