"""Why results cannot be compared with anything here: numpy's formulas, which they are held to, need scipy."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from actbench import backends
from actbench.formula import Activation
from actbench.model.rule import Dialect, names_used

LIBRARY = "scipy"


def without_reference(activation: Activation) -> str | None:
    """Return why kernels of an activation cannot be checked in this environment; None where they can."""
    return _reason(activation) if lacks_library() else None


@cache
def lacks_library() -> bool:
    """Return whether scipy is not installed."""
    return find_spec(LIBRARY) is None


@cache
def _reason(activation: Activation) -> str | None:
    rules = [activation.rule(name, Dialect.ARRAY, None) for name in activation.formulas.strategies]
    formulas = {formula for rule in rules for formula in (rule.forward, rule.save, rule.derivative) if formula}
    names = {name for formula in formulas for name in names_used(formula)}
    if LIBRARY not in (backends.built_in()["numpy"].executed_by(names) or ()):
        return None
    return f"{activation.name} is held to functions of {LIBRARY}, which is not installed"
