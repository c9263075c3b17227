"""Tables on a terminal, or as plain text where there is none."""

from __future__ import annotations

import sys

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from actbench.report.numbers import UNDECIDED
from actbench.report.summary import Summary
from actbench.report.table import Table

PLAIN_WIDTH = 160
"""Columns when the output is not a terminal."""


def show(summary: Summary) -> None:
    """Print a summary."""
    console = _console()
    for answer in summary.answers:
        console.print(Text(answer, style="bold"))
    for table in summary.tables:
        show_table(table)
    console.print()
    for remark in summary.remarks:
        console.print(Text(remark, style="red" if remark.startswith("FAILED") else "dim"))


def show_table(table: Table) -> None:
    """Print one table under its title; figures aligned right."""
    console = _console()
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for index, column in enumerate(table.columns):
        words = index < table.labels or column == "known weakness"
        grid.add_column(Text(column), justify="left" if words else "right", no_wrap=not words)
    for row in table.rows:
        grid.add_row(*(Text(cell, style="dim" if cell.endswith(UNDECIDED) else "") for cell in row))
    console.print()
    console.print(Text(table.title, style="bold"))
    if table.note:
        console.print(Text(table.note.replace("`", ""), style="dim"))
    console.print(grid)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
