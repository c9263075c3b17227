"""The source of what was declared in a notebook, as a file that workers can load.

A file holds the functions, and what they name: modules and what can be imported, constants, and further functions, each
as it is at this moment. Where the source of something cannot be had, such as that of an array, the error names it.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from symtable import SymbolTable, symtable
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any

from actbench.errors import InputError
from actbench.formula import Activation, Extension
from actbench.model.user_kernels import KernelDeclaration

Declaration = Activation | Extension | KernelDeclaration
"""What a user declares in Python: `@activation`, `@strategy`, `@kernel`."""

HEADER = '"""Declared in Python, and written by actbench.measure."""\n\nfrom __future__ import annotations\n'

WAY_OUT = "put it in a file, and name that: load='FILE.py'"


def source_of(declared: Sequence[Declaration]) -> str:
    """Return the text of a file that declares the same; `InputError` says whose source cannot be had."""
    text = _SourceText()
    for declaration in declared:
        text.add(getattr(_function(declaration), "__name__", declaration.name), declaration, {})
    return text.joined()


def activation_of(declaration: object) -> str:
    """Return the name of the activation that a declaration is of; `InputError` for what is none."""
    match declaration:
        case Activation():
            return declaration.name
        case Extension() | KernelDeclaration():
            return declaration.activation
    name = getattr(declaration, "__name__", None) or repr(declaration)
    raise InputError(
        f"'{name}' is no activation: name one, or declare a function of yours with @actbench.activation above its def"
    )


def _function(value: object) -> Any:
    """Return what was declared, if it was by a decorator; otherwise the value."""
    match value:
        case Activation() | Extension():
            return value.build
        case KernelDeclaration():
            return value.declared
    return value


@dataclass(slots=True)
class _SourceText:
    """The parts of a file, in the order in which they must stand."""

    imports: dict[str, str] = field(default_factory=dict)
    """The statement that makes each name."""
    parts: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)
    """What each name stands for."""

    def joined(self) -> str:
        """Return the file."""
        return "\n\n".join([HEADER + "\n" + "\n".join(sorted(self.imports.values())), *self.parts]) + "\n"

    def add(self, name: str, value: object, near: Mapping[str, Any], user: str = "") -> None:
        """Add what makes a name stand for a value, and what that needs; `near` is where its user looks names up."""
        if name in self.values:
            if self.values[name] is not value and self.values[name] != value:
                differ = f"{user} and another function mean different things by" if user else "two functions are called"
                raise InputError(f"{differ} '{name}': rename one of them")
            return
        self.values[name] = value
        if isinstance(value, ModuleType):
            self.imports[name] = f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else "")
        elif (statement := _import_of(name, value, near)) is not None:
            self.imports[name] = statement
        elif (text := _literal(value)) is not None:
            self.parts.append(f"{name} = {text}")
        else:
            self._add_definition(name, value, user)

    def _add_definition(self, name: str, value: object, user: str) -> None:
        """Add a function or a class, after what it names."""
        function = _function(value)
        source = _source(name, function, user)
        if function is not value and not _is_decorated(source):
            raise InputError(f"'{name}' is not declared above its def: write the decorator there, or {WAY_OUT}")
        near = _names_near(function)
        for needed in sorted(_names_used(source)):
            if needed in near and needed != name and not _is_builtin(needed, near[needed]):
                self.add(needed, near[needed], near, name)
        self.parts.append(source)


def _source(name: str, function: object, user: str) -> str:
    """Return the source of a function or a class."""
    used = f"{user} uses {name}, of the type {type(function).__name__}" if user else f"'{name}'"
    inspected: Any = function
    why = "it is a lambda, not a def"
    if getattr(function, "__name__", "") != "<lambda>":
        try:
            return dedent(inspect.getsource(inspected)).rstrip()
        except (OSError, TypeError) as error:
            why = str(error) if isinstance(error, OSError) else "it is not written in Python"
    raise InputError(f"{used}: its source cannot be had ({why}): {WAY_OUT}")


def _is_decorated(source: str) -> bool:
    (first, *_) = ast.parse(source).body
    return bool(getattr(first, "decorator_list", ()))


def _names_used(source: str) -> set[str]:
    """Return the names that a definition looks up outside of itself."""
    return {*_looked_up(symtable(source, "a cell", "exec"))}


def _looked_up(table: SymbolTable) -> Iterator[str]:
    is_module = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (not symbol.is_assigned() if is_module else symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _looked_up(child)


def _names_near(function: object) -> dict[str, Any]:
    """Return what a function or a class sees: the names of its module, and of the functions around it."""
    plain = inspect.unwrap(function) if callable(function) else function
    if not isinstance(plain, FunctionType):
        return {**vars(sys.modules.get(getattr(plain, "__module__", ""), builtins))}
    cells = zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True)
    return {**plain.__globals__, **{name: cell.cell_contents for name, cell in cells}}


def _is_builtin(name: str, value: object) -> bool:
    return getattr(builtins, name, None) is value


def _import_of(name: str, value: object, near: Mapping[str, Any]) -> str | None:
    """Return the statement that imports a value; None where none can: it is of a notebook, or of the same file."""
    module, original = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(module, str) or module in {"__main__", near.get("__name__")} or not isinstance(original, str):
        return None
    if getattr(sys.modules.get(module), original, None) is not value:
        return None
    return f"from {module} import {original}" + (f" as {name}" if name != original else "")


def _literal(value: object) -> str | None:
    """Return a constant as it is written; None for what is none."""
    if isinstance(value, float) and not isfinite(value):
        return f"float('{value}')"
    text = repr(value)
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        read = ast.literal_eval(text)
        return text if type(read) is type(value) and read == value else None
    return None
