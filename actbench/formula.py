"""An activation: its mathematics once, for every backend.

An activation is a function of a namespace ``m`` (``math``, ``numpy``, ``mpmath``, ...) that returns `Formulas`. The
name of a strategy's parameter says which residual it reads: ``z`` the pre-activation, ``y`` the output; any other
residual comes with a function that saves it. Literals are written as floats (``1.0``): a backend gives them the
kernel's dtype.

Two dialects: **array**, an expression over whole arrays (``m.where``), and **scalar**, which may branch. Where a
formula needs no branch, one source serves both; where it does, `Piecewise` holds the two.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Formula = Callable[..., Any]


class Dialect(StrEnum):
    """How a formula is written."""

    ARRAY = "array"
    SCALAR = "scalar"


class FloatFormat(Protocol):
    """The limits of a floating-point format, as `numpy.finfo` gives them."""

    max: Any
    eps: Any


class Flaw(StrEnum):
    """The two ways in which a strategy may be known to fail."""

    CANCELS = "cancels"
    """Digits cancel: the error is a few eps in absolute terms, however small g' is."""
    OVERFLOWS = "overflows"
    """An intermediate overflows: the call raises, or returns 0, inf or NaN, where g' is a number."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known failure of a strategy, declared with its formula.

    The oracle holds the strategy to it both ways: outside ``where`` the strategy must be accurate, inside it the
    result must be wrong in just the way declared.
    """

    flaw: Flaw
    why: str
    where: Callable[[Any, FloatFormat], Any]
    """From z and the float format: where (a boolean array) the flaw is to be expected."""


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A formula that branches: with ``if`` in the scalar dialect, with ``m.where`` or the like over arrays."""

    scalar: Formula
    array: Formula


@dataclass(frozen=True, slots=True)
class Strategy:
    """How g' is computed from what was kept."""

    derivative: Formula | Piecewise
    save: Formula | Piecewise | None = None
    """Forward for residuals other than z and y: z -> (y, residual, ...)."""
    weaknesses: tuple[Weakness, ...] = ()


@dataclass(frozen=True, slots=True)
class Formulas:
    """An activation in one namespace: its forward function and its strategies by name, in either dialect."""

    forward: Formula | Piecewise
    strategies: Mapping[str, Strategy]

    def __init__(self, *, forward: Formula | Piecewise, **strategies: Formula | Piecewise | Strategy) -> None:
        """Take each strategy as a plain formula, or as a `Strategy` when there is more to say of it."""
        object.__setattr__(self, "forward", forward)
        object.__setattr__(
            self,
            "strategies",
            {name: rule if isinstance(rule, Strategy) else Strategy(rule) for name, rule in strategies.items()},
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One strategy of one activation, in one dialect and namespace: what a backend executes."""

    forward: Formula
    derivative: Formula
    save: Formula | None
    own: Formula | None = None
    """A library's own kernel for dy * g', (dy, *residuals), in the derivative's place."""

    @property
    def residuals(self) -> tuple[str, ...]:
        """What the forward pass keeps: the names of the derivative's parameters."""
        return tuple(inspect.signature(self.derivative).parameters)

    @property
    def saved(self) -> tuple[str, ...]:
        """The residuals that exist for this strategy alone, stored by `save`."""
        return tuple(name for name in self.residuals if name not in {"z", "y"})


@dataclass(frozen=True, slots=True)
class Activation:
    """A named activation."""

    name: str
    summary: str
    build: Callable[[Any], Formulas]

    @property
    def strategies(self) -> Mapping[str, Strategy]:
        """The strategies that exist for this activation."""
        return self.build(None).strategies

    def forward(self, dialect: Dialect, m: Any) -> Formula:
        """Return g in a dialect, over the namespace `m`."""
        return _in(dialect, self.build(m).forward)

    def rule(self, strategy: str, dialect: Dialect, m: Any) -> Rule:
        """Return a strategy in a dialect, over the namespace `m`."""
        formulas = self.build(m)
        chosen = formulas.strategies[strategy]
        return Rule(
            forward=_in(dialect, formulas.forward),
            derivative=_in(dialect, chosen.derivative),
            save=None if chosen.save is None else _in(dialect, chosen.save),
        )


def activation(build: Callable[[Any], Formulas]) -> Activation:
    """Declare an activation: its name is the function's, its summary the docstring."""
    return Activation(build.__name__, inspect.getdoc(build) or "", build)


def _in(dialect: Dialect, formula: Formula | Piecewise) -> Formula:
    if isinstance(formula, Piecewise):
        return formula.scalar if dialect is Dialect.SCALAR else formula.array
    return formula
