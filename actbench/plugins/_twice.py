"""What a file declares and then loses, because the name is defined again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from inspect import isclass
from pathlib import Path
from typing import Any

from actbench.backends import Backend
from actbench.errors import InputError

DECORATORS = ("activation", "strategy")
"""Of functions that declare something."""


def refuse_lost(name: str, files: Iterable[str], names: Mapping[str, Any]) -> None:
    """Raise `InputError` for an activation, a strategy or a backend whose name a file defines twice.

    `names` are those of the files once they have run. Definitions inside of ``if`` or ``try`` are alternatives.
    """
    for file in map(Path, files):
        first: dict[str, ast.FunctionDef | ast.ClassDef] = {}
        for node in ast.parse(file.read_bytes()).body if file.is_file() else ():
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            if node.name in first and (what := _declares(first[node.name], names)):
                raise InputError(
                    f"--load {name}: {what} '{node.name}' is defined on line {first[node.name].lineno} and again on "
                    f"line {node.lineno}, so that the first is lost: give one another name"
                )
            first[node.name] = node


def _declares(node: ast.FunctionDef | ast.ClassDef, names: Mapping[str, Any]) -> str:
    """Return what a definition declares, or nothing."""
    if isinstance(node, ast.FunctionDef):
        called = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
        plain = (ast.unparse(each).rpartition(".")[2] for each in called)
        return next((each for each in plain if each in DECORATORS), "")
    bases = (names.get(ast.unparse(base)) for base in node.bases)
    return "backend class" if any(isclass(base) and issubclass(base, Backend) for base in bases) else ""
