"""Help texts of commands are plain text: here they become reStructuredText, as sphinx-click expects them."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

LITERAL = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*|FILE\.\w+|[A-Z]+:[A-Z]+|'[^' ]+ [^']+'|'[\w./*-]+')(?![\w-])")
"""Names of options, and what is quoted."""

SPECIAL = re.compile(r"([\\*`|_])")


def escaped(line: str) -> str:
    """Return a line of plain text with literals for names of options, and nothing else marked up."""
    parts = LITERAL.split(line)
    plain = [SPECIAL.sub(r"\\\1", part) for part in parts[::2]]
    literal = [f"``{part.strip(chr(39))}``" for part in parts[1::2]]
    return "".join(text for pair in zip(plain, [*literal, ""], strict=True) for text in pair)


def description(_: Any, __: Any, lines: list[str]) -> None:
    """Mark up a command's description; a paragraph that begins with ``\\b`` is kept as it is written."""
    marked: list[str] = []
    for kept, group in groupby(lines, lambda line: line.startswith("| ") or line == "|"):
        paragraph = [line[2:] if kept else line for line in group]
        if not kept:
            marked += [escaped(line) for line in paragraph]
            continue
        if paragraph[0].endswith(":"):
            marked += [escaped(paragraph.pop(0)), ""]
        marked += [".. code-block:: text", "", *(f"   {line}" for line in paragraph), ""]
    lines[:] = marked


def options(_: Any, __: Any, lines: list[str]) -> None:
    """Mark up the help of options."""
    lines[:] = [line if line.lstrip().startswith((".. ", ":")) else escaped(line) for line in lines]


def setup(app: Any) -> dict[str, bool]:
    """Listen to what sphinx-click makes of commands."""
    app.setup_extension("sphinx_click")
    app.connect("sphinx-click-process-description", description)
    app.connect("sphinx-click-process-options", options)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
