"""Texts and the rows of a table as HTML, for templates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

import jinja2

from actbench.report.table import Table

BETWEEN_CELLS = "\0"
"""Not a character of any cell, and not escaped."""


@jinja2.pass_environment
def body(environment: jinja2.Environment, table: Table) -> str:
    """Return the rows of a table, escaped: all cells at once, as one by one they take a tenth of a report's time.

    `TypeError` for a row that has another number of cells than the table has columns.
    """
    plain = _line(table.figures[1:])
    lines = [_line(table.figures[1:], shades[1:]) for shades in table.shades] or [plain] * len(table.rows)
    escaped = str.split(environment.filters["escape"](BETWEEN_CELLS.join(chain(*table.rows))), BETWEEN_CELLS)
    cells = iter(escaped)
    rows = zip(*[cells] * len(table.columns), strict=True) if table.rows else iter([])
    return "".join(line % row for line, row in zip(lines, rows, strict=True))


def _line(figures: Sequence[bool], shades: Sequence[str] = ()) -> str:
    """Return the HTML of a row in which its cells are to be put."""
    classes = [" ".join(filter(None, both)) for both in zip_longest(("figure" * one for one in figures), shades)]
    cells = "".join(f'<td class="{names}">%s</td>' if names else "<td>%s</td>" for names in classes)
    return f'<tr><th scope="row">%s</th>{cells}</tr>\n'


OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
"""An option of the command line in a text."""


@jinja2.pass_environment
def unbroken(environment: jinja2.Environment, text: str) -> Any:
    """Return a text, escaped, in which no line ends within an option such as --budget."""
    escaped = environment.filters["escape"](text)
    plain = str.format("{}", escaped)  # what is put into an escaped text is escaped as well
    return type(escaped)(OPTION.sub(r'<span class="option">\g<0></span>', plain))
