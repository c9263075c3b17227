"""What the user's own code must be, and what to say where it is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Container, Iterable
from types import FunctionType
from typing import Any

from actbench.backends import Backend
from actbench.errors import InputError, unknown
from actbench.formula import Activation, Extension, Formulas, Strategy
from actbench.model.cases import OVERHEAD, RUNGS, YARDSTICK
from actbench.model.rule import Dialect
from actbench.plugins._found import Found
from actbench.plugins._guard import guarded

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What ids of cases and lists with commas can hold."""

RESERVED = {OVERHEAD, YARDSTICK, *RUNGS}
"""Names with a meaning of their own in ids."""

ALLOWED = "(z), (y), (z, y), one array of its own, or z and one of its own"

NEEDED = ("name", "summary", "dialect", "dtypes", "rank", "planning_ns")
"""What a backend must say of itself."""


def refuse_clash(found: Found, what: str, name: str, existing: Container[str]) -> None:
    """Raise `InputError` for a name that is taken, or that ids of cases cannot hold."""
    of, what = found.loaded.name, f"{'an' if what.startswith('a') else 'a'} {what}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(f"--load {of}: '{name}' cannot name {what}: use letters, digits, dashes, dots, underscores")
    if name in existing or name in RESERVED:
        raise InputError(f"--load {of}: there is {what} '{name}' already: give yours another name")


def unknown_activation(found: Found, extension: Extension, known: Iterable[str]) -> InputError:
    """Return the error for a strategy of no activation that exists."""
    hint = unknown("activation", extension.activation, known)
    return InputError(f"--load {found.loaded.name}: strategy '{extension.name}' is for an {hint}")


def refuse_unusable(found: Found, activation: Activation, strategy: str | None = None, what: str = "") -> None:
    """Raise `InputError` for an activation that cannot be built, or whose strategies keep what cannot be kept.

    With a strategy's name, only that is looked at.
    """
    of = found.loaded.name
    what = what or f"activation '{activation.name}'"
    with guarded([found.code], what, {AttributeError: " (m may be used inside of formulas only)"}):
        formulas = activation.formulas
    if not isinstance(formulas, Formulas):
        raise InputError(f"--load {of}: {what} returns {_kind(formulas)}: return Formulas(forward=..., recompute=...)")
    if not formulas.strategies:
        raise InputError(f"--load {of}: {what} has no strategy: give Formulas one beside forward, such as recompute")
    if strategy is None and (reason := _unlike(formulas.forward, ("z",))):
        raise InputError(f"--load {of}: forward of {what} {reason}")
    for name in [strategy] if strategy else formulas.strategies:
        if reason := _refusal(activation, name, formulas.strategies[name]):
            raise InputError(f"--load {of}: strategy '{name}' of {activation.name} {reason}")


def usable_backend(found: Found, kind: type[Backend]) -> Backend:
    """Return a backend of a class; `InputError` when it does not say all that is needed of it."""
    of = found.loaded.name
    lacking = [name for name in NEEDED if not hasattr(kind, name)]
    if lacking:
        raise InputError(f"--load {of}: backend class {kind.__name__} does not say its {', '.join(lacking)}")
    with guarded([found.code], f"backend class {kind.__name__}"):
        return kind()


def _refusal(activation: Activation, name: str, strategy: Strategy) -> str | None:
    """Say why a strategy cannot be executed, or None when it can."""
    kept = {dialect: _parameters(activation.rule(name, dialect, None).derivative) for dialect in Dialect}
    scalar, array = kept[Dialect.SCALAR], kept[Dialect.ARRAY]
    if scalar is None or array is None:
        return f"is {_kind(strategy.derivative)}: write a function of what it keeps"
    if scalar != array:
        return f"keeps ({', '.join(scalar)}) in one dialect and ({', '.join(array)}) in the other: name the same"
    own = [each for each in scalar if each not in {"z", "y"}]
    if scalar not in {("z",), ("y",), ("z", "y")} and not (own == [scalar[-1]] and scalar[:-1] in {(), ("z",)}):
        return f"keeps ({', '.join(scalar)}): it can keep {ALLOWED}"
    return _misfit(own, strategy)


def _misfit(own: list[str], strategy: Strategy) -> str | None:
    """Say why what a strategy keeps of its own and what it saves do not fit, or None when they do."""
    if own == ["dy"]:
        return "keeps dy, which is what comes from above: call what it keeps otherwise"
    if own and strategy.save is None:
        return f"keeps {own[0]}, which nothing saves: return Strategy(derivative, save=...), save(z) giving y, {own[0]}"
    if strategy.save is not None and not own:
        return "saves what it does not keep: let its derivative take what it saves"
    return _unlike(strategy.save, ("z",), "its save ") if strategy.save is not None else None


def _unlike(formula: Any, wanted: tuple[str, ...], what: str = "") -> str | None:
    """Say why a formula is not a function of what is wanted, or None when it is."""
    for dialect in Dialect:
        part = getattr(formula, dialect, formula)
        if (found := _parameters(part)) is None:
            return f"{what}is {_kind(part)}: write a function of {', '.join(wanted)}"
        if len(found) != len(wanted):
            return f"{what}takes ({', '.join(found)}): write a function of {', '.join(wanted)}"
    return None


def _parameters(formula: Any) -> tuple[str, ...] | None:
    return tuple(inspect.signature(formula).parameters) if isinstance(formula, FunctionType) else None


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
