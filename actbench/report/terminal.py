"""Tables on a terminal, or as plain text where there is none.

A terminal that is wide enough and has the characters shows a bar beside every row of a table of speedups. One that is
too narrow gets a table in parts, each with the columns that identify its rows: nothing is cut off or left out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from actbench.report.bars import Bar, bars
from actbench.report.columns import needed, parts, width_of
from actbench.report.numbers import UNDECIDED
from actbench.report.table import Summary, Table
from actbench.report.two_screens import FAILED, shortened

PLAIN_WIDTH = 160
"""Least number of columns where the output is not a terminal."""

BAR_WIDTH = 32
"""Columns of a bar."""

BAR_COLUMNS = BAR_WIDTH + 3
"""Columns of a bar with the space before it."""


def show(summary: Summary, console: Console | None = None, *, whole: bool = True) -> None:
    """Print a summary; on a terminal, only what fits two screens unless it is to be the `whole`."""
    console, missing = console or _console(), ""
    if console.is_terminal and not whole:
        summary, missing = shortened(summary, console.width, lambda text: len(Text(text).wrap(console, console.width)))
    show_answers(summary.answers, console)
    for table in summary.tables:
        show_table(table, console)
    console.print()
    for remark in (*summary.remarks, *([missing] if missing else [])):
        console.print(Text(remark, style="red" if remark.startswith(FAILED) else "dim"))


def show_answers(answers: Sequence[str], console: Console | None = None) -> None:
    """Print answers in words."""
    console = console or _console()
    for answer in answers:
        console.print(Text(answer, style="bold"))


def show_table(table: Table, console: Console | None = None) -> None:
    """Print one table under its title; figures aligned right."""
    console = console or _console()
    console.print()
    console.print(Text(table.title, style="bold"))
    if table.note:
        console.print(Text(table.note.replace("`", ""), style="dim"))
    whole = [*range(len(table.columns))]
    if any(table.bars) and _has_room(console, _grid(table, whole)):
        console.print(_grid(table, whole, [_drawn(bar) for bar in bars(table.bars, BAR_WIDTH)]))
        return
    for number, columns in enumerate(parts(table, console.width) if console.is_terminal else [whole]):
        if number:
            console.print()
        width = console.width
        console.width = max(width, width_of(table, columns))  # a terminal itself breaks lines that are longer
        console.print(_grid(table, columns))
        console.width = width


def _grid(table: Table, columns: Sequence[int], bars: Sequence[Text] = ()) -> RichTable:
    """Lay out these columns of the table, with a bar beside each row where there are bars."""
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for index in columns:
        grid.add_column(
            Text(table.columns[index]),
            justify="right" if table.figures[index] else "left",
            no_wrap=index != table.wrapped,
            min_width=needed(table, index),
        )
    if bars:
        grid.add_column(Text("cached, log scale from 1"), no_wrap=True)
    for number, row in enumerate(table.rows):
        cells = (Text(row[index], style="dim" if row[index].endswith(UNDECIDED) else "") for index in columns)
        grid.add_row(*cells, *bars[number : number + 1])
    return grid


def _has_room(console: Console, grid: RichTable) -> bool:
    """Return whether bars can be shown: on a terminal with Unicode, beside a table that does not change."""
    whole = Measurement.get(console, console.options.update(max_width=10_000), grid)
    needed = whole.maximum + BAR_COLUMNS
    return console.is_terminal and console.encoding.startswith("utf") and needed <= console.width


def _drawn(bar: Bar | None) -> Text:
    """Return a bar in colours if the terminal has any: green is faster, red is slower."""
    if bar is None:
        return Text()
    styles = ("dim red", "red", "bold", "green", "dim green")
    return Text.assemble(*zip(bar, styles, strict=True))


def plain_console(file: TextIO, width: int = PLAIN_WIDTH) -> Console:
    """Return a console that writes plain text to a file."""
    return Console(file=file, width=width, highlight=False, color_system=None, force_terminal=False, soft_wrap=True)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
