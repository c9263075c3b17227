"""``actbench report``."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path), required=False, metavar="[RUN]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write, in place of one that is there. [default: report.html in the run's directory]",
)
def command(run: Path, candidate: Path | None, output: Path | None) -> None:
    """Write a page about a RUN, or about two: a baseline and the run to compare with it.

    One HTML file with the answer, charts, tables that sort and filter, the accuracy, the rounds one by one, the
    environment and how it was measured. It opens from disk and fetches nothing. RUN is a run's directory, its
    pyperf.json, or 'latest', the latest complete run. Exit code 5: the two runs cannot be compared.

    \b
    Examples:
      actbench report latest
      actbench report results/reference -o reference.html
      actbench report results/before results/after -o change.html
    """
    with _uncollected():
        from actbench.errors import InputError
        from actbench.report.charts.library import library
        from actbench.report.page import page
        from actbench.runs.archive import load
        from actbench.runs.files import write
        from actbench.runs.names import REPORT

        if output and output.suffix.lower() not in {".html", ".htm"}:
            raise InputError(f"-o {output}: the report is a page: name a file that ends in .html")
        with library() as javascript:
            last, *before = (load(path) for path in (candidate, run) if path)
            text = page(last, javascript, *before)
        directory = last.path if last.path.is_dir() else last.path.parent
        target = output or directory / REPORT
        write(target, text)
    click.echo(f"written to {target}", err=True)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare Python the search for circles: libraries and a page are a million small objects, and hold hardly any.

    What was made is not searched afterwards either, nor when Python ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
