"""What of a summary is printed on a terminal: the answer, the tables that hold it, and what they rest on.

It fits two screens. Nothing is lost: summary.md has all, and a sentence says how much is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from actbench.report.columns import fitting
from actbench.report.numbers import counted
from actbench.report.table import Summary, Table

LINES = 100
"""Lines of two screens."""

ANSWER_LINES, REMARK_LINES = 36, 18
"""The most lines that answers and remarks may take."""

TABLE_HEAD, LAST_LINES = 4, 6
"""Lines above the rows of a table beside its note, and after everything."""

FEWEST_ROWS = 4
"""Number of rows below which another table is not begun."""

IN_QUESTION = ("cached", "shipped", "complement", "pair", "intermediate", "ms", "saved")
"""The columns that are shown first."""

FAILED = "FAILED"
"""The beginning of remarks that are always shown."""

Lines = Callable[[str], int]
"""Number of lines of a text on the terminal."""


def shortened(summary: Summary, width: int, lines_of: Lines) -> tuple[Summary, str]:
    """Return what fits two screens, and a sentence about what is not shown; "" where that is nothing."""
    answers = _first(summary.answers, ANSWER_LINES, lines_of)
    failures = [remark for remark in summary.remarks if remark.startswith(FAILED)]
    others = [remark for remark in summary.remarks if not remark.startswith(FAILED)]
    remarks = [*_first(failures, REMARK_LINES, lines_of), *_first(others, REMARK_LINES, lines_of)]
    room = LINES - LAST_LINES - sum(map(lines_of, [*answers, *remarks]))
    leading = [table for table in summary.tables if table.leads] or [*summary.tables]
    tables = [*_tables(leading, room, width, lines_of)]
    missing = (
        (len(summary.answers) - len(answers), "answer"),
        (_cells(leading[: len(tables)]) - _cells(tables), "figure"),
        (len(summary.tables) - len(tables), "table"),
        (len(summary.remarks) - len(remarks), "remark"),
    )
    words = [counted(number, what) for number, what in missing if number]
    sentence = f"Not shown: {', '.join(words)}." if words else ""
    return replace(summary, answers=tuple(answers), tables=tuple(tables), remarks=tuple(remarks)), sentence


def _first(texts: Sequence[str], room: int, lines_of: Lines) -> list[str]:
    """Return the first texts that fit, and one in any case."""
    shown: list[str] = []
    for text in texts:
        room -= lines_of(text)
        if room < 0 and shown:
            break
        shown.append(text)
    return shown


def _tables(tables: Sequence[Table], room: int, width: int, lines_of: Lines) -> Iterator[Table]:
    """Yield tables without the columns and rows for which there is no room; they share it evenly."""
    heads = [TABLE_HEAD + (lines_of(table.note) if table.note else 0) for table in tables]
    begun = max((n for n in range(1, len(tables) + 1) if sum(heads[:n]) + FEWEST_ROWS * n <= room), default=1)
    room -= sum(heads[:begun])
    for number, table in enumerate(tables[:begun]):
        share = max(FEWEST_ROWS, room // (begun - number))
        shown = _narrowed(replace(table, rows=table.rows[:share], bars=table.bars[:share]), width)
        room -= len(shown.rows)
        yield shown


def _narrowed(table: Table, width: int) -> Table:
    columns = fitting(table, width, IN_QUESTION)
    wrapped = columns.index(table.wrapped) if table.wrapped in columns else None
    return replace(
        table,
        columns=tuple(table.columns[index] for index in columns),
        rows=tuple(tuple(row[index] for index in columns) for row in table.rows),
        wrapped=wrapped,
    )


def _cells(tables: Sequence[Table]) -> int:
    """Return the number of figures in tables."""
    return sum(bool(cell) for table in tables for row in table.rows for cell in row[table.labels :])
