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

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign
"""A statement that may declare something: ``mine = kernel("gelu", "mine")(f)`` is one, too."""


def refuse_lost(name: str, files: Iterable[str], names: Mapping[str, Any]) -> None:
    """Raise `InputError` for a declaration whose name a file defines twice.

    `names` are the files' variables after they have run. Definitions inside ``if`` or ``try`` count as alternatives.
    """
    for file in map(Path, files):
        first: dict[str, Definition] = {}
        for node in ast.parse(file.read_bytes()).body if file.is_file() else ():
            if not isinstance(node, Definition) or not (defined := _name(node)):
                continue
            if defined in first and (what := _declares(first[defined], names)):
                raise InputError(
                    f"--load {name}: {what} '{defined}' is defined on line {first[defined].lineno} and again on "
                    f"line {node.lineno}, so that the first is lost: give one of them another name"
                )
            first[defined] = node


def _name(node: Definition) -> str:
    """Return the name that a statement defines; "" for several, or none."""
    if not isinstance(node, ast.Assign):
        return node.name
    (target, *more) = node.targets
    return target.id if isinstance(target, ast.Name) and not more else ""


def _declares(node: Definition, names: Mapping[str, Any]) -> str:
    """Return what a definition declares, in words; "" where it declares nothing."""
    applied = [node.value.func] if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else []
    decorators = applied if isinstance(node, ast.Assign) else node.decorator_list
    expressions = (decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in decorators)
    names_used = (ast.unparse(expression).rpartition(".")[2] for expression in expressions)
    if declared := next((name for name in names_used if name in DECORATORS), ""):
        return declared
    bases = (names.get(ast.unparse(base)) for base in node.bases) if isinstance(node, ast.ClassDef) else ()
    return "backend class" if any(isclass(base) and issubclass(base, Backend) for base in bases) else ""
