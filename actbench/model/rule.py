"""A rule, which a backend executes: the formulas of one strategy, in one dialect and namespace."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Any

from actbench.model.helpers import helpers

Formula = Callable[..., Any]

PRE_ACTIVATION = ("z",)
"""The input of an elementwise activation."""

GATED = ("a", "b")
"""The inputs of a gated activation, y = g(a) b."""

TARGET = "target"
"""The input of a row activation that is the number of a column of every row, such as the class that is right."""

TARGETED = ("z", TARGET)
"""The inputs of a row activation that has one."""

UPSTREAM = "dy"
"""The first parameter of a strategy of a row activation: the upstream gradient, of which a row's gradient is made."""


def takes_upstream(derivative: Formula) -> bool:
    """Return whether a strategy is one of a row activation, by its first parameter."""
    return callable(derivative) and next(iter(inspect.signature(derivative).parameters), "") == UPSTREAM


def inputs_of(forward: Formula) -> tuple[str, ...]:
    """Return the names of the inputs of an activation, by its parameters: of a gated one, of one with targets, or z."""
    names = tuple(inspect.signature(forward).parameters)
    return names if names in {GATED, TARGETED} else PRE_ACTIVATION


class Dialect(StrEnum):
    """The style in which a formula is written."""

    ARRAY = "array"
    SCALAR = "scalar"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Conversions to a narrower type than the arithmetic's, and back: of residuals, or of all arrays."""

    kept_in: str
    widen: Formula
    narrow: Formula


@dataclass(frozen=True, slots=True)
class Rule:
    """One strategy of one activation, in one dialect and namespace."""

    forward: Formula
    derivative: Formula
    save: Formula | None
    library_gradient: Formula | None = None
    """The library's kernel for dy * g', a function of (dy, *residuals); it is called instead of `derivative`."""
    conversion: Conversion | None = None
    """The conversions of narrow residuals; the functions above already include them."""
    arithmetic: Conversion | None = None
    """The conversions of all arrays to the wider type that is computed in; the functions above are in that type."""

    @property
    def residuals(self) -> tuple[str, ...]:
        """The names of the residuals, from the derivative's parameters, with a narrow type: ``y:float16``."""
        kept_in = f":{self.conversion.kept_in}" if self.conversion else ""
        return tuple(f"{name}{kept_in}" for name in inspect.signature(self.derivative).parameters if name != UPSTREAM)

    @property
    def saved(self) -> tuple[str, ...]:
        """The residuals that only this strategy has, stored by `save`; narrow ones always belong to them."""
        return tuple(name for name in self.residuals if name not in {*self.inputs, "y"})

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what the forward pass takes: as many gradients has the backward pass, but none of a target."""
        return inputs_of(self.forward)

    @property
    def is_gated(self) -> bool:
        """Whether y = g(a) b; `derivative` then returns two factors of dy: b g'(a) for a, and g(a) for b."""
        return self.inputs == GATED

    @property
    def is_row(self) -> bool:
        """Whether it works along rows; `derivative` then takes dy first, and returns the gradient of z."""
        return takes_upstream(self.derivative)


def names_used(formula: Formula) -> frozenset[str]:
    """Return the names that a formula, and the functions that it calls, look up in the namespace ``m``."""
    functions = (formula, *helpers(formula))
    return frozenset().union(*(_names_used_in(getattr(function, "__code__", function)) for function in functions))


@cache
def _names_used_in(code: Any) -> frozenset[str]:
    """Return the names: formulas are built anew for every namespace, and their code is the same."""
    pairs = pairwise(dis.get_instructions(code))
    return frozenset(after.argval for before, after in pairs if (before.opname, before.argval) == ("LOAD_DEREF", "m"))
