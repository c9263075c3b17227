"""``actbench report``."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from actbench.cli.formats import refuse_what_is_read
from actbench.cli.sentences import say
from actbench.cli.values import PathName


@click.command()
@click.argument("run", type=PathName())
@click.argument("candidate", type=PathName(), required=False, metavar="[RUN]")
@click.option(
    "-o",
    "--output",
    type=PathName(),
    metavar="FILE",
    help="File to write; an existing one is replaced. [default: report.html in the run's directory]",
)
def command(run: Path, candidate: Path | None, output: Path | None) -> None:
    """Write a page about a RUN, or about two: a baseline and the run to compare with it.

    The page is one HTML file with the answer, charts, tables that sort and filter, the accuracy, the rounds, the
    environment and the method. It opens from disk and downloads nothing. RUN is a run's directory, its
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
        if output:
            refuse_what_is_read(output, f"-o {output}")
        with library() as javascript:
            last, *before = (load(path) for path in (candidate, run) if path)
            text = page(last, javascript, *before)
        directory = last.path if last.path.is_dir() else last.path.parent
        target = output or directory / REPORT
        write(target, text)
    say(f"written to {target}")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disable Python's garbage collection: libraries and a page are a million small objects with hardly any cycles.

    The objects are not searched afterwards either, nor when Python ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
