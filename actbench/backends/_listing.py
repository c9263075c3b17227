"""Source listings for `actbench show`: functions, and all functions of this package that they call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from actbench.backends._backend import source

BACKENDS_PACKAGE = __name__.rpartition(".")[0]

Named = tuple[str, Callable[..., Any]]
"""A function, preceded by the name by which it is called."""


def sources(functions: Iterable[Callable[..., Any]], namespace: Iterable[Callable[..., Any]] = ()) -> str:
    """Return the source of functions, then of functions of a namespace, and of all functions that these call.

    Every source appears once. A called function is headed by the name of its module, which holds its constants. The
    float32 and float64 versions of a function appear once where their sources are equal.
    """
    functions = [*functions]
    roots = dict.fromkeys(map(source, functions))
    called: dict[str, tuple[str, list[str]]] = {}
    waiting = [(_written_name(function), function) for function in namespace if _is_ours(function)]
    waiting += [call for function in functions for call in _called(function)]
    listed = set[int]()
    while waiting:
        name, function = waiting.pop(0)
        text = source(function)
        if text in roots:
            continue
        _, names = called.setdefault(text, (inspect.unwrap(function).__module__, []))
        if id(function) not in listed:  # the same text of another dtype can call other functions
            listed.add(id(function))
            waiting += _called(function)
        if name not in names and f"def {name}(" not in text:
            names.append(name)
    return "\n\n".join([*roots, *(_placed(text, *where) for text, where in called.items())])


def _placed(text: str, module: str, names: Iterable[str]) -> str:
    """Return a source headed by the name of its module, and by the names of its calls where they differ."""
    also = ", ".join(names)
    return f"# of {module}{f', called {also}' if also else ''}\n{text}"


def _called(function: Callable[..., Any]) -> Iterator[Named]:
    """Yield the functions of this package that a function names, also in functions that it contains."""
    for version in getattr(function, "versions", (function,)):
        plain = inspect.unwrap(version)
        if isinstance(plain, FunctionType):
            arguments = getattr(version, "arguments", {})
            scope: dict[str, Any] = {**plain.__globals__, **inspect.getclosurevars(plain).nonlocals, **arguments}
            names = [*dict.fromkeys(_names(plain.__code__))]
            values = [(name, scope[name]) for name in names if name in scope]
            modules = [value for _, value in values if isinstance(value, ModuleType)]
            ours = [module for module in modules if module.__name__.startswith(BACKENDS_PACKAGE)]
            values += [(name, getattr(module, name, None)) for module in ours for name in names]
            kinds = [type(value) for _, value in values if type(value).__module__.startswith(BACKENDS_PACKAGE)]
            values += [(name, getattr(kind, name, None)) for kind in kinds for name in names]
            yield from ((name, value) for name, value in values if _is_ours(value))


def _names(code: CodeType) -> Iterator[str]:
    yield from (*code.co_freevars, *code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_ours(value: object) -> bool:
    if isinstance(value, type | ModuleType) or not callable(value):
        return False
    plain = inspect.unwrap(value)
    return isinstance(plain, FunctionType) and plain.__module__.startswith(BACKENDS_PACKAGE)


def _written_name(function: Callable[..., Any]) -> str:
    return str(inspect.unwrap(function).__name__)
