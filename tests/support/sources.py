"""The source files of the package, parsed once a process."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import actbench

PACKAGE = Path(actbench.__file__).parent

FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))
