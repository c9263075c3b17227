"""The functions that a formula calls, from the same file or a closure."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

Function = Callable[..., Any]


def helpers(formula: Function) -> tuple[Function, ...]:
    """Return the functions that a formula calls, directly or not, from the same file or a closure, each once."""
    known: dict[Function, None] = {}
    waiting = [formula] if isinstance(formula, FunctionType) else []
    while waiting:
        function = waiting.pop(0)
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        variables = [function.__globals__.get(name) for name in function.__code__.co_names]
        called = [value for value in cells if is_helper(function, value)]
        called += [value for value in variables if in_same_file(function, value)]
        fresh = [value for value in dict.fromkeys(called) if value not in known and value is not formula]
        known |= dict.fromkeys(fresh)
        waiting += fresh
    return tuple(known)


def is_helper(formula: Function, value: Any) -> bool:
    """Return whether a value in a formula's closure is a function written for it, not part of a library."""
    return in_same_file(formula, value) or (isinstance(value, FunctionType) and "<locals>" in value.__qualname__)


def in_same_file(formula: Function, value: Any) -> bool:
    """Return whether a value is another function of the same file."""
    return (
        isinstance(value, FunctionType)
        and value is not formula
        and value.__code__.co_filename == formula.__code__.co_filename
    )
