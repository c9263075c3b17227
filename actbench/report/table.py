"""Tables for any text format, their Markdown, and the summary of a run that they are a part of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from actbench.analysis.interval import Interval


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a note, column heads and rows of text; the first `labels` columns are names."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int
    wrapped: int | None = None
    """The index of a column with long text, which is wrapped; None where there is none."""
    bars: tuple[Interval | None, ...] = ()
    """Ratios that a terminal may draw next to the rows; text formats leave them out."""
    leads: bool = False
    """Whether it holds the answer of its summary."""
    shades: tuple[tuple[str, ...], ...] = ()
    """For each row, the classes of its cells on a page, which colours them; text formats leave them out."""

    @property
    def figures(self) -> tuple[bool, ...]:
        """For each column, whether it holds figures, which are aligned right."""
        return tuple(self.labels <= index != self.wrapped for index in range(len(self.columns)))


@dataclass(frozen=True, slots=True)
class Summary:
    """The parts of a summary, as text."""

    answers: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]


def each_note_once(tables: Iterable[Table]) -> Iterator[Table]:
    """Yield the tables; a note is above the first one that it explains, and not repeated above those of further ops."""
    explained: set[str] = set()
    for table in tables:
        yield replace(table, note="") if table.note in explained else table
        explained.add(table.note)


def grouped(rows: Iterable[tuple[str, ...]], column: int) -> tuple[tuple[str, ...], ...]:
    """Return the rows, those that differ in one column alone as one, in the place of the first: ``numpy, numba``."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        groups.setdefault((*row[:column], *row[column + 1 :]), []).append(row[column])
    return tuple((*shared[:column], ", ".join(cells), *shared[column:]) for shared, cells in groups.items())


def markdown(table: Table) -> str:
    """Return the table in GitHub's Markdown, figures aligned right."""
    rule = ["---:" if figure else "---" for figure in table.figures]
    lines = [table.columns, rule, *table.rows]
    body = "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)
    return f"### {table.title}\n\n{table.note}\n\n{body}\n" if table.note else f"### {table.title}\n\n{body}\n"


def remarks_in_markdown(remarks: Iterable[str]) -> str:
    """Return sentences as a list in Markdown, in which ``<`` begins no HTML; an empty text where there are none."""
    return "".join(f"- {_without_html(remark)}\n" for remark in remarks)


def literal(text: str) -> str:
    """Return a text in one line of Markdown that shows it as it is: what has a meaning there is escaped."""
    return re.sub(r"([\\`*_~\[\]<&])", r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    return _without_html(text).replace("|", "\\|").replace("\n", " ")


def _without_html(text: str) -> str:
    return text.replace("<", "&lt;")
