"""Cells of a notebook, run in this process."""

from __future__ import annotations

import linecache
from itertools import count
from textwrap import dedent
from typing import Any

_NUMBERS = count()


def run_cell(source: str, names: dict[str, Any]) -> str:
    """Run a cell in a namespace, as a notebook does, and return its name: `inspect` finds its lines by that."""
    text, name = dedent(source), f"<cell {next(_NUMBERS)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), names)  # noqa: S102  # as a notebook does
    return name
