"""Which cases a user selects, as text and numbers: read from a command line, and sent to workers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from actbench.errors import unknown
from actbench.model.cases import RUNGS
from actbench.model.names import Dtype, Op, OperandState, unknown_dtype
from actbench.model.variants import with_storage

if TYPE_CHECKING:
    from actbench.planning.presets import Axes


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user names of each axis, as text and whole numbers; an axis of which nothing is named stays as it is."""

    activations: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    residual_dtypes: tuple[str, ...] = ()
    """Types in which residuals are kept, in addition to each strategy as it is."""
    ops: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    """In elements."""
    operands: tuple[str, ...] = ()
    """States of operands."""
    pattern: str = "*"
    """A glob that the ids of cases match."""

    def axes(self, strategies: tuple[str, ...] = ()) -> dict[str, tuple[Any, ...]]:
        """Return the axes of which something is named; types of residuals become strategies.

        `strategies` are those that these types are for where none is named. `InputError` for a type that is unknown.
        """
        types = self.residual_dtypes
        axes: dict[str, tuple[Any, ...]] = {
            "activations": self.activations,
            "backends": self.backends,
            "strategies": with_storage(self.strategies or strategies, types, RUNGS) if types else self.strategies,
            "ops": self.ops,
            "dtypes": self.dtypes,
            "sizes": self.sizes,
            "operands": self.operands,
        }
        return {name: values for name, values in axes.items() if values}

    def over(self, start: Axes) -> Axes:
        """Return these axes with those that are named in their place; `InputError` for an unknown op or dtype."""
        axes = self.axes(start.strategies)
        for op in self.ops:
            if op not in list(Op):
                raise unknown("op", op, list(Op))
        for dtype in self.dtypes:
            if dtype not in list(Dtype):
                raise unknown_dtype(dtype)
        for state in self.operands:
            if state not in list(OperandState):
                raise unknown("state of operands", state, list(OperandState))
        types: dict[str, type[StrEnum]] = {"ops": Op, "dtypes": Dtype, "operands": OperandState}
        typed = {name: tuple(map(types[name], axes[name])) for name in types if name in axes}
        return start.with_named(axes | typed)


MAX_CALL = 0.5
"""Seconds. A case whose single call would take longer, by the backends' planning figures, is left out."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a host has for cases."""

    memory: int
    """Bytes that blocks may count on."""
    cache: int = 0
    """Bytes of the last-level cache; 0 where no operands are cold."""
    max_call: float = MAX_CALL
    """Seconds that one call may take, by the backends' planning figures."""


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What an environment is to offer: a preset, axes in its place, and which of the cases to keep."""

    preset: str
    axes: dict[str, tuple[Any, ...]]
    """The user's, by name, in place of the preset's: names as text, sizes as integers."""
    pattern: str
    """A glob that the ids of cases match."""
    room: Room
