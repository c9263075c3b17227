"""Requirements on the user's activations, strategies, networks and backends; each error says what to write instead."""

from __future__ import annotations

import inspect
import re
from collections.abc import Container, Iterable
from types import FunctionType
from typing import Any

import numpy as np

from actbench.backends import Backend, namespace
from actbench.errors import InputError, unknown
from actbench.formula import Activation, Extension, Formulas, Strategy
from actbench.model.cases import OVERHEAD, RUNGS, YARDSTICKS
from actbench.model.names import NETWORK_NAME
from actbench.model.networks import NetworkKind
from actbench.model.rule import GATED, PRE_ACTIVATION, Dialect, Formula
from actbench.model.strategy import in_dialect
from actbench.plugins._declarations import Declarations
from actbench.plugins._declared_values import unusable_value
from actbench.plugins._guard import guarded
from actbench.plugins._room import with_room
from actbench.plugins._row_requirements import reduces_rows, unsupported_along_rows

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A name that is valid in the id of a case and in a list with commas."""

RESERVED = {OVERHEAD, *YARDSTICKS, *RUNGS}
"""Names that have another meaning in ids."""

ALLOWED = "(z), (y), (z, y), one array of its own, or z and one of its own"
"""The residuals that a strategy can keep, in words."""

ALLOWED_OF_GATED = "(a, b), (y, b), (a, b, y), or one array of its own behind (a, b) or behind (b)"
"""Likewise, a strategy of a gated activation."""

OF_ELEMENTWISE = {("z",), ("y",), ("z", "y")}, {(), ("z",)}, ALLOWED
OF_GATED = {("a", "b"), ("y", "b"), ("a", "b", "y")}, {("a", "b"), ("b",)}, ALLOWED_OF_GATED
"""The residuals that a strategy can keep without one of its own, those before one of its own, and both in words."""

PROBED = 8
"""Elements of the arrays on which the form of a result is tried."""

REQUIRED_ATTRIBUTES = ("name", "summary", "dialect", "dtypes", "rank", "planning_ns")
"""Attributes that a backend class must define."""


def refuse_clash(declared: Declarations, what: str, name: str, existing: Container[str]) -> None:
    """Raise `InputError` for a name that is already used, or that is invalid in ids of cases."""
    file, what = declared.loaded.name, f"{'an' if what.startswith('a') else 'a'} {what}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(f"--load {file}: '{name}' cannot name {what}: use letters, digits, dashes, dots, underscores")
    if name in existing or name in RESERVED:
        raise InputError(f"--load {file}: there is {what} '{name}' already: give yours another name")


def unknown_activation(declared: Declarations, extension: Extension, known: Iterable[str]) -> InputError:
    """Return the error for a strategy of an activation that does not exist."""
    hint = unknown("activation", extension.activation, known)
    return InputError(f"--load {declared.loaded.name}: strategy '{extension.name}' is for an {hint}")


def refuse_unusable(
    declared: Declarations, activation: Activation, strategy: str | None = None, what: str = ""
) -> None:
    """Raise `InputError` for an activation that cannot be built, or one of whose strategies cannot be executed.

    With a strategy's name, only that strategy is checked.
    """
    file = declared.loaded.name
    what = what or f"activation '{activation.name}'"
    with guarded([declared.code], what, {AttributeError: " (m may be used inside of formulas only)"}):
        formulas = activation.formulas
    if not isinstance(formulas, Formulas):
        raise InputError(
            f"--load {file}: {what} returns {_kind(formulas)}: return Formulas(forward=..., recompute=...)"
        )
    if reason := unusable_value(formulas):
        raise InputError(f"--load {file}: of {what}, {reason}")
    if not formulas.strategies:
        raise InputError(f"--load {file}: {what} has no strategy: give Formulas one besides forward, such as recompute")
    of_inputs = (
        "z, or of a and b where it is gated" if formulas.inputs == PRE_ACTIVATION else " and ".join(formulas.inputs)
    )
    if strategy is None and (reason := _not_of(formulas.inputs, formulas.forward, of_inputs)):
        raise InputError(f"--load {file}: forward of {what} {reason}")
    for name in [strategy] if strategy else formulas.strategies:
        with guarded([declared.code], what):
            reason = _unsupported(activation, name, formulas.strategies[name]) or _no_pair(activation, name)
        if reason:
            raise InputError(f"--load {file}: strategy '{name}' of {activation.name} {reason}")


def refuse_unusable_network(declared: Declarations, network: NetworkKind, existing: Container[str]) -> None:
    """Raise `InputError` for a network whose name is used, or invalid in ids, or that is no function of its widths."""
    file, name = declared.loaded.name, network.name
    if not re.fullmatch(NETWORK_NAME, name):
        raise InputError(
            f"--load {file}: '{network.build.__name__}' cannot name a network: use small letters, digits, underscores"
        )
    if name in existing:
        raise InputError(f"--load {file}: there is a network '{name}' already: give yours another name")
    parameters = inspect.signature(network.build).parameters.values()
    if not parameters:
        raise InputError(f"--load {file}: network '{name}' has no parameter: let it take its widths, at least one")
    if named := [one for one in parameters if one.kind in {one.KEYWORD_ONLY, one.VAR_KEYWORD}]:
        raise InputError(f"--load {file}: network '{name}' has the parameter {named[0]}: widths have no names in ids")


def usable_backend(declared: Declarations, kind: type[Backend]) -> Backend:
    """Return an instance of a backend class; `InputError` when the class lacks a needed attribute."""
    file = declared.loaded.name
    missing = [name for name in REQUIRED_ATTRIBUTES if not hasattr(kind, name)]
    if missing:
        raise InputError(f"--load {file}: backend class {kind.__name__} does not say its {', '.join(missing)}")
    with guarded([declared.code], f"backend class {kind.__name__}"):
        return kind()


def _unsupported(activation: Activation, name: str, strategy: Strategy) -> str | None:
    """Return why a strategy cannot be executed, or None where it can."""
    if activation.is_row or reduces_rows(activation):
        return unsupported_along_rows(activation, name, strategy)
    formulas = [activation.rule(name, dialect, None).derivative for dialect in Dialect]
    if reason := next(filter(None, map(_no_formula, formulas)), None):
        return reason
    array, scalar = map(_parameters, formulas)
    if scalar != array:
        return f"keeps ({', '.join(scalar)}) in one dialect and ({', '.join(array)}) in the other: name the same"
    inputs = activation.formulas.inputs
    extra = [residual for residual in scalar if residual not in {*inputs, "y"}]
    shared, before, allowed = OF_GATED if inputs == GATED else OF_ELEMENTWISE
    if scalar not in shared and not (extra == [scalar[-1]] and scalar[:-1] in before):
        of_gated = "; the forward of a gated activation takes (a, b)" if inputs != GATED and "b" in scalar else ""
        return f"keeps ({', '.join(scalar)}): it can keep {allowed}{of_gated}"
    if inputs == GATED and strategy.second is not None:
        return "has a second, and a gated activation has three second derivatives, which nothing measures: leave it out"
    return _unsaved(inputs, extra, strategy) or _no_second(strategy, array)


def _no_second(strategy: Strategy, kept: tuple[str, ...]) -> str | None:
    """Return why a strategy's form of g'' cannot be executed, or None where it can, or there is none."""
    if strategy.second is None:
        return None
    form = strategy.second.derivative if isinstance(strategy.second, Strategy) else strategy.second
    for dialect in Dialect:
        part = in_dialect(dialect, form)
        if reason := _no_formula(part):
            return f"has a second that {reason}"
        if _parameters(part) != kept:
            return f"has a second of ({', '.join(_parameters(part))}): let it take what is kept, ({', '.join(kept)})"
    return None


def _no_pair(activation: Activation, name: str) -> str | None:
    """Return why a strategy of a gated activation does not give two factors, or None where it does, or raises."""
    if not activation.is_gated:
        return None
    try:
        rule = activation.rule(name, Dialect.ARRAY, namespace("numpy"))
        with np.errstate(all="ignore"):
            factors = rule.derivative(*(with_room(np.ones(PROBED)) for _ in rule.residuals))
    except Exception:  # noqa: BLE001  # it may be for another backend, whose worker then says what it raises
        return None
    if isinstance(factors, tuple) and len(factors) == len(GATED):
        return None
    return (
        f"returns {_kind(factors)}: return two factors of dy, b g'(a) for a and g(a) for b, as in return b * slope, g"
    )


def _unsaved(inputs: tuple[str, ...], extra: list[str], strategy: Strategy) -> str | None:
    """Return why a strategy's residuals other than inputs and y are not those that it saves, or None where they are."""
    if extra == ["dy"]:
        return "keeps dy, which is the upstream gradient: give the residual another name"
    if extra and strategy.save is None:
        save = f"return Strategy(derivative, save=...), save({', '.join(inputs)}) giving y, {extra[0]}"
        return f"keeps {extra[0]}, which nothing saves: {save}"
    if strategy.save is not None and not extra:
        return "saves what it does not keep: let its derivative take the saved residual"
    reason = None if strategy.save is None else _not_of(inputs, strategy.save, " and ".join(inputs))
    return f"has a save that {reason}" if reason else None


def _not_of(inputs: tuple[str, ...], formula: Any, of_inputs: str) -> str | None:
    """Return why a formula is no function of so many inputs, which are also given in words; None where it is."""
    for dialect in Dialect:
        part = getattr(formula, dialect, formula)
        if reason := _no_formula(part):
            return reason
        names = _parameters(part)
        if len(names) != len(inputs):
            return f"takes ({', '.join(names)}): write a function of {of_inputs}"
    return None


def _no_formula(value: Any) -> str | None:
    """Return why a value is not a formula (a Python function whose parameters name residuals), or None where it is."""
    if not isinstance(value, FunctionType):
        function = "function whose parameters name what it keeps"
        if callable(value):
            return f"is {_kind(value)}: wrap it in a Python {function}, such as lambda y: f(y)"
        return f"is {_kind(value)}: write a Python {function}"
    for parameter in inspect.signature(value).parameters.values():
        if parameter.default is not parameter.empty:
            return f"has the parameter {parameter}: parameters name what is kept, so write the value into the formula"
        if parameter.kind not in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            return f"has the parameter {parameter}: parameters name what is kept, one by one"
    return None


def _parameters(formula: Formula) -> tuple[str, ...]:
    return tuple(inspect.signature(formula).parameters)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
