"""Which functions of formulas a backend lacks, or has only for arguments of limited size."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from actbench.backends import Backend
from actbench.model.rule import PRE_ACTIVATION, Formula, names_used


def lacking(backend: Backend, formulas: Iterable[Formula]) -> str | None:
    """Return which functions of formulas a backend lacks; None where it has all."""
    missing = {name for formula in formulas for name in _missing(backend, formula)}
    if not missing:
        return None
    because = f": {backend.lacks_because}" if backend.lacks_because else ""
    return f"{backend.name} has no {' and no '.join(sorted(missing))}{because}"


def _missing(backend: Backend, formula: Formula) -> Iterator[str]:
    """Yield the functions of a formula that a backend lacks, and those that it lacks for some z."""
    if not (backend.lacks or backend.lacks_far):
        return
    used = names_used(formula)
    yield from {*backend.lacks} & used
    if {*PRE_ACTIVATION} & {*inspect.signature(formula).parameters}:
        yield from (f"{name} of z" for name in {*backend.lacks_far} & used)
