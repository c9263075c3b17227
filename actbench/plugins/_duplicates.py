"""Detection of declarations that a file loses: it binds them to no name, or defines the same name again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from inspect import isclass
from pathlib import Path
from typing import Any

from actbench.backends import Backend
from actbench.errors import InputError
from actbench.formula import activation, strategy
from actbench.model.networks import network
from actbench.model.user_kernels import kernel

DECLARING = (activation, strategy, kernel, network)
"""The decorators that declare something."""

DECORATORS = tuple(function.__name__ for function in DECLARING)
"""Their names."""

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign
"""A statement that may declare something: ``mine = kernel("gelu", "mine")(f)`` is one, too."""


def refuse_lost(name: str, files: Iterable[str], names: Mapping[str, Any]) -> None:
    """Raise `InputError` for a declaration that a file binds to no name, or whose name it defines twice.

    `names` are the files' variables after they have run. Definitions inside ``if`` or ``try`` count as alternatives.
    """
    for file in map(Path, files):
        first: dict[str, Definition] = {}
        body = ast.parse(file.read_bytes()).body if file.is_file() else []
        for line, what in _unbound(body, names):
            raise InputError(
                f"--load {name}: {what} on line {line} is bound to no name, so that it is lost: write 'mine = ' before "
                "it, with a name of yours"
            )
        for node in body:
            if not isinstance(node, Definition) or not (defined := _name(node)):
                continue
            if defined in first and (what := _declares(first[defined], names)):
                raise InputError(
                    f"--load {name}: {what} '{defined}' is defined on line {first[defined].lineno} and again on "
                    f"line {node.lineno}, so that the first is lost: give one of them another name"
                )
            first[defined] = node


def _unbound(body: Iterable[ast.stmt], names: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the lines of calls that declare something, and of which no statement keeps the result, with what it is."""
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            applied = node.value.func
            function = applied.func if isinstance(applied, ast.Call) else applied
            what = ast.unparse(function).rpartition(".")[2]
            if what in DECORATORS and _resolved(function, names) in DECLARING:
                yield node.lineno, what
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            nested = (getattr(node, field, []) for field in ("body", "orelse", "finalbody", "handlers"))
            yield from _unbound((inner for of_field in nested for inner in of_field), names)


def _resolved(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return what an expression such as ``actbench.kernel`` names; None where that is not known."""
    if isinstance(expression, ast.Attribute):
        return getattr(_resolved(expression.value, names), expression.attr, None)
    return names.get(expression.id) if isinstance(expression, ast.Name) else None


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
