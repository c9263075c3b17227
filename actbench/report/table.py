"""Tables for any text format, and their Markdown."""

from __future__ import annotations

from dataclasses import dataclass

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

    @property
    def figures(self) -> tuple[bool, ...]:
        """For each column, whether it holds figures, which are aligned right."""
        return tuple(self.labels <= index != self.wrapped for index in range(len(self.columns)))


def markdown(table: Table) -> str:
    """Return the table in GitHub's Markdown, figures aligned right."""
    rule = ["---:" if figure else "---" for figure in table.figures]
    lines = [table.columns, rule, *table.rows]
    body = "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)
    return f"### {table.title}\n\n{table.note}\n\n{body}\n" if table.note else f"### {table.title}\n\n{body}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
