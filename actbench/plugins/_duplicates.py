"""Detection of declarations that a file loses, because it defines the same name again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from inspect import isclass
from pathlib import Path
from typing import Any

from actbench.backends import Backend
from actbench.errors import InputError

DECORATORS = ("activation", "strategy", "kernel", "network")
"""The decorators that declare something."""


def refuse_lost(name: str, files: Iterable[str], names: Mapping[str, Any]) -> None:
    """Raise `InputError` for an activation, a strategy, a network or a backend whose name a file defines twice.

    `names` are the files' variables after they have run. Definitions inside ``if`` or ``try`` count as alternatives.
    """
    for file in map(Path, files):
        first: dict[str, ast.FunctionDef | ast.ClassDef] = {}
        for node in ast.parse(file.read_bytes()).body if file.is_file() else ():
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            if node.name in first and (what := _declares(first[node.name], names)):
                raise InputError(
                    f"--load {name}: {what} '{node.name}' is defined on line {first[node.name].lineno} and again on "
                    f"line {node.lineno}, so that the first is lost: give one of them another name"
                )
            first[node.name] = node


def _declares(node: ast.FunctionDef | ast.ClassDef, names: Mapping[str, Any]) -> str:
    """Return what a definition declares, in words; "" where it declares nothing."""
    if isinstance(node, ast.FunctionDef):
        expressions = (
            decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in node.decorator_list
        )
        names_used = (ast.unparse(expression).rpartition(".")[2] for expression in expressions)
        return next((name for name in names_used if name in DECORATORS), "")
    bases = (names.get(ast.unparse(base)) for base in node.bases)
    return "backend class" if any(isclass(base) and issubclass(base, Backend) for base in bases) else ""
