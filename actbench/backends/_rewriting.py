"""Copies of formulas with other constants and functions in their byte code, for numba and numexpr.

numba treats Python's float literals as float64, and numexpr builds its programs from expression nodes. Both call a copy
of the formula in which every literal has the kernel's type; the formula itself is not changed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

import numpy as np

from actbench.model.helpers import in_same_file, is_helper
from actbench.model.names import Dtype
from actbench.model.rule import Formula


def unchanged(formula: Formula) -> Formula:
    """Return the formula unchanged."""
    return formula


def with_literals(
    formula: Formula, dtype: Dtype, edition: str = "", helper: Callable[[Formula], Formula] = unchanged
) -> Formula:
    """Return a copy of the formula with its float literals in the kernel's dtype.

    `edition` becomes a further, unused constant: a cache whose key contains the constants then misses when the code
    that the formula calls has changed. `helper` is called with the copy of every function that the formula calls.
    """
    copy = rewritten(formula, np.dtype(dtype).type, helper)
    copy.__code__ = copy.__code__.replace(co_consts=(*copy.__code__.co_consts, edition))
    return copy


def rewritten(
    formula: Formula, literal: Callable[[float], Any], helper: Callable[[Formula], Formula] = unchanged, **names: Any
) -> Formula:
    """Return a copy of the formula with `literal(value)` for its floats, and other objects for the builtins in `names`.

    The floats are literals, and variables of the enclosing function and module, such as a parameter of the activation.
    The functions that the formula calls are copied as well (`helpers` lists them), and `helper` is called with each
    copy.
    """

    def replaced(value: Any) -> Any:
        if isinstance(value, float):
            return literal(value)
        return helper(rewritten(value, literal, helper, **names)) if is_helper(formula, value) else value

    code = formula.__code__
    constants = tuple(map(replaced, code.co_consts))
    variables = {name: formula.__globals__[name] for name in code.co_names if name in formula.__globals__}
    changed = {
        name: replaced(value)
        for name, value in variables.items()
        if isinstance(value, float) or in_same_file(formula, value)
    } | names
    scope = formula.__globals__ | changed if changed else formula.__globals__
    cells = tuple(CellType(replaced(cell.cell_contents)) for cell in formula.__closure__ or ())
    return FunctionType(code.replace(co_consts=constants), scope, formula.__name__, None, cells)
