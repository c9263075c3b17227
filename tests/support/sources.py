"""The source files of the package, parsed once a process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import actbench

PACKAGE = Path(actbench.__file__).parent

FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


BODIES = (ast.stmt, ast.excepthandler, ast.match_case)
"""What statements are in."""


def statements(path: Path) -> Iterator[ast.AST]:
    """Yield every statement of a file, wherever it is: a tenth of the nodes, since most are in expressions."""
    todo: list[ast.AST] = [parsed(path)]
    while todo:
        node = todo.pop()
        yield node
        lists = (value for value in vars(node).values() if isinstance(value, list) and value)
        todo += [child for values in lists if isinstance(values[0], BODIES) for child in values]
