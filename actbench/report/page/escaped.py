"""Texts and the rows of a table as HTML, for templates."""

from __future__ import annotations

import re
from itertools import chain
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
    figures = ('<td class="figure">%s</td>' if figure else "<td>%s</td>" for figure in table.figures[1:])
    line = f'<tr><th scope="row">%s</th>{"".join(figures)}</tr>\n'
    escaped = str.split(environment.filters["escape"](BETWEEN_CELLS.join(chain(*table.rows))), BETWEEN_CELLS)
    cells = iter(escaped)
    return "".join(line % row for row in zip(*[cells] * len(table.columns), strict=True)) if table.rows else ""


OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
"""An option of the command line in a text."""


@jinja2.pass_environment
def unbroken(environment: jinja2.Environment, text: str) -> Any:
    """Return a text, escaped, in which no line ends within an option such as --budget."""
    escaped = environment.filters["escape"](text)
    plain = str.format("{}", escaped)  # what is put into an escaped text is escaped as well
    return type(escaped)(OPTION.sub(r'<span class="option">\g<0></span>', plain))
