"""The report of a run, or of two: one HTML file that contains everything, downloads nothing and opens from disk.

Everything from a file or a user is escaped: by Jinja2 in the page and its tables, as JSON without ``<`` in its script.
Large parts are compressed: the drawing library, the charts' data, the files, and tables of many rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from actbench.report import host, tables_csv
from actbench.report.page.rendering import Packer
from actbench.report.page.sections import comparison, sections
from actbench.report.pictures import record_of
from actbench.report.results import analyse
from actbench.runs.archive import Run, labels


def page(run: Run, library: Callable[[], bytes], baseline: Run | None = None) -> str:
    """Return the page of a run, compared with a baseline if there is one; then each title names the run.

    `library` returns the compressed JavaScript that draws the charts.

    `InputError` for a run without its run.json or without a finished block; `NotComparableError` for two runs that
    cannot be compared.
    """
    record = record_of(run)
    results = analyse(run.times, record)
    title, *_ = names = labels([run, baseline] if baseline else [run])
    files = tables_csv.contents(results)
    with Packer(files) as packer:
        answer, *others = sections(run, results, files)
        shown = [answer, *others]
        if baseline:
            compared = comparison(baseline, run, names)
            title = compared.title
            answer = replace(answer, answers=(f"{title}: {compared.sentences[0]}", *answer.answers))
            answer, *others = (replace(section, title=f"{section.title}: {names[0]}") for section in (answer, *others))
            shown = [answer, compared, *others]
        return packer.rendered(title, shown, library, host.line(record.environment))
