"""The report of a run, or of two: one HTML file that holds everything, fetches nothing and opens from disk.

Whatever comes from a file or a user is escaped: by Jinja2 in the page, as JSON without ``<`` in its script.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jinja2

from actbench.report import host
from actbench.report.charts import render
from actbench.report.charts.style import config
from actbench.report.measured import measured
from actbench.report.page.sections import comparison, sections
from actbench.report.pictures import record_of
from actbench.runs.archive import Run

FITTED = {"autosize": {"type": "fit-x", "contains": "padding"}}
"""Charts are as wide as the page lets them."""


def page(run: Run, baseline: Run | None = None) -> str:
    """Return the page of a run, compared with a baseline where there is one.

    `InputError` for a run without its run.json or without a finished block; `NotComparableError` for two that cannot be
    set against each other.
    """
    record = record_of(run)
    with ThreadPoolExecutor(1) as aside:
        library = aside.submit(render.library)  # which takes longer than all the rest
        found = measured(run.times, record)
        answer, *others = sections(run, found)
        shown = [answer, *([comparison(baseline, run)] if baseline else []), *others]
        charts = [chart for section in shown for chart in section.charts]
        themes = {theme: _config(theme) for theme in ("light", "dark")}
        name = run.path.resolve().name
        return _template().render(
            title=f"actbench: {name}",
            sections=shown,
            specs=render.as_json({chart.kind: chart.spec | FITTED for chart in charts}),
            rows=render.as_json({chart.kind: render.by_column(chart.rows) for chart in charts}),
            themes=render.as_json(themes),
            library=library.result().replace("</script", "<\\/script"),
            made_by=host.line(record.environment),
        )


def _config(theme: str) -> dict[str, Any]:
    """Return a theme for charts as wide as the page: their legends stand below."""
    plain = config(theme)
    below = {"orient": "bottom", "layout": {"bottom": {"anchor": "start", "direction": "vertical"}}}
    return plain | {"legend": plain["legend"] | below}


def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("actbench.report", "page")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html")
