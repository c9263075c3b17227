"""Tables on a terminal, or as plain text where there is none.

A terminal that is wide enough and has the signs shows a bar beside every row of a table of speedups.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from actbench.report.bars import Bar, bars
from actbench.report.numbers import UNDECIDED
from actbench.report.summary import Summary
from actbench.report.table import Table

PLAIN_WIDTH = 160
"""Columns when the output is not a terminal."""

BAR_WIDTH = 32
"""Columns of a bar."""

BAR_COLUMNS = BAR_WIDTH + 3
"""The same, with the space before it."""


def show(summary: Summary, console: Console | None = None) -> None:
    """Print a summary."""
    console = console or _console()
    for answer in summary.answers:
        console.print(Text(answer, style="bold"))
    for table in summary.tables:
        show_table(table, console)
    console.print()
    for remark in summary.remarks:
        console.print(Text(remark, style="red" if remark.startswith("FAILED") else "dim"))


def show_table(table: Table, console: Console | None = None) -> None:
    """Print one table under its title; figures aligned right."""
    console = console or _console()
    grid = _grid(table)
    if any(table.bars) and _has_room(console, grid):
        grid = _grid(table, [_drawn(bar) for bar in bars(table.bars, BAR_WIDTH)])
    console.print()
    console.print(Text(table.title, style="bold"))
    if table.note:
        console.print(Text(table.note.replace("`", ""), style="dim"))
    console.print(grid)


def _grid(table: Table, beside: Sequence[Text] = ()) -> RichTable:
    """Lay the table out, with a bar beside each row where there are bars."""
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for index, column in enumerate(table.columns):
        words = index < table.labels or column == "known weakness"
        grid.add_column(Text(column), justify="left" if words else "right", no_wrap=not words)
    if beside:
        grid.add_column(Text("cached, log scale from 1"), no_wrap=True)
    for index, row in enumerate(table.rows):
        cells = (Text(cell, style="dim" if cell.endswith(UNDECIDED) else "") for cell in row)
        grid.add_row(*cells, *beside[index : index + 1])
    return grid


def _has_room(console: Console, grid: RichTable) -> bool:
    """Say whether bars can be shown: on a terminal with Unicode, beside a table that stays as it is."""
    needed = Measurement.get(console, console.options.update(max_width=10_000), grid).maximum + BAR_COLUMNS
    return console.is_terminal and console.encoding.startswith("utf") and needed <= console.width


def _drawn(bar: Bar | None) -> Text:
    """Return a bar in colours, where the terminal has any: green is faster, red is slower."""
    if bar is None:
        return Text()
    styles = ("dim red", "red", "bold", "green", "dim green")
    return Text.assemble(*zip(bar, styles, strict=True))


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
