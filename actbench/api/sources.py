"""The source of what was declared in a notebook, as a file that workers can load.

A file holds the functions, and what they name: modules and what can be imported, constants, and further functions, each
as it is at this moment. Where the source of something cannot be had, such as that of an array, the error names it.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from symtable import SymbolTable, symtable
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any

from actbench.api import names as read
from actbench.errors import InputError
from actbench.formula import Activation, Extension
from actbench.model.user_kernels import KernelDeclaration

Declaration = Activation | Extension | KernelDeclaration
"""What a user declares in Python: `@activation`, `@strategy`, `@kernel`."""

Activations = str | Iterable[str | Declaration] | Declaration
"""Names of activations, or what a notebook declares."""

HEADER = '"""Declared in Python, and written by actbench.measure."""\n\nfrom __future__ import annotations\n'

WAY_OUT = "put it in a file, and name that: load='FILE.py'"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a definition was written."""

    place: str
    """A cell, or a file."""
    line: int
    """Of this place."""
    written: int
    """The line of the file that is made of it."""


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """A file that declares what a notebook does."""

    text: str
    names: tuple[str, ...]
    """Of the functions that were declared."""
    origins: tuple[Origin, ...]
    """Of all definitions, in the order of the file."""

    def located(self, sentence: str, path: Path) -> str:
        """Return a sentence about the file, at this path, as one about the functions and cells that it was made of."""
        places = [*dict.fromkeys(origin.place for origin in self.origins)]
        functions = f"{' and '.join(map(repr, self.names))}{f' ({places[0]})' if len(places) == 1 else ''}"
        if (about := sentence.replace(f"--load {path}", functions)) == sentence:
            return sentence
        return re.sub(r"\bline (\d+)\b", lambda match: self._line(int(match[1])), about)

    def _line(self, number: int) -> str:
        origin = next((origin for origin in reversed(self.origins) if origin.written <= number), None)
        return f"line {number - origin.written + origin.line} of {origin.place}" if origin else f"line {number}"


def source_of(declared: Sequence[Declaration]) -> DeclaredSource:
    """Return the text of a file that declares the same; `InputError` says whose source cannot be had."""
    text = _SourceText()
    names = [getattr(_function(declaration), "__name__", declaration.name) for declaration in declared]
    for name, declaration in zip(names, declared, strict=True):
        text.add(name, declaration, {})
    return DeclaredSource(text.joined(), tuple(names), tuple(text.origins()))


def split(activations: Activations) -> tuple[tuple[str, ...], list[Declaration]]:
    """Return the names of activations, and what is declared here; `InputError` for what is neither."""
    if isinstance(activations, str):
        return read.names("activations", activations), []
    items = read.several(activations)
    declared: list[Any] = [item for item in items if not isinstance(item, str)]
    named = [item if isinstance(item, str) else activation_of(item) for item in items]
    return tuple(dict.fromkeys(read.names("activations", named))), declared


def activation_of(declaration: object) -> str:
    """Return the name of the activation that a declaration is of; `InputError` for what is none."""
    match declaration:
        case Activation():
            return declaration.name
        case Extension() | KernelDeclaration():
            return declaration.activation
    name = getattr(declaration, "__name__", None)
    raise InputError(
        f"activations: {read.shown(declaration) if name is None else repr(name)} is no activation: pass a name, or a "
        "function of yours that is declared with @actbench.activation above its def"
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
    places: list[tuple[str, int] | None] = field(default_factory=list)
    """Where each part was written, and its line there; None for a constant."""
    values: dict[str, object] = field(default_factory=dict)
    """What each name stands for."""

    def joined(self) -> str:
        """Return the file."""
        return "\n\n".join([self._head(), *self.parts]) + "\n"

    def origins(self) -> Iterator[Origin]:
        """Yield where the definitions of the file were written."""
        line = self._head().count("\n") + 3  # after an empty line
        for part, place in zip(self.parts, self.places, strict=True):
            if place:
                yield Origin(*place, line)
            line += part.count("\n") + 2

    def _head(self) -> str:
        return HEADER + "\n" + "\n".join(sorted(self.imports.values()))

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
            self.places.append(None)
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
        self.places.append(_place(function))


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


def _place(function: Any) -> tuple[str, int]:
    """Return the cell or the file of a definition, and its first line there."""
    file = inspect.getsourcefile(function) or inspect.getfile(function)
    _, line = inspect.getsourcelines(function)
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if cell := shell and shell.compile.format_code_name(file):
        return " ".join(cell), line
    return Path(file).name, line


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
