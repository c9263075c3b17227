"""Cells of a notebook, run in this process."""

from __future__ import annotations

import linecache
from itertools import count
from textwrap import dedent
from typing import Any

_NUMBERS = count()


def run_cell(source: str, names: dict[str, Any]) -> None:
    """Run a cell in a namespace, as a notebook does: its lines are where `inspect` looks for them."""
    text, name = dedent(source), f"<cell {next(_NUMBERS)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), names)  # noqa: S102  # as a notebook does
