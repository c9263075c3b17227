"""Which cases a user selects: the names of each axis, as a command line gives them and as workers get them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from actbench.model import names
from actbench.model.cases import RUNGS
from actbench.model.sizes import Shape, Size
from actbench.model.variants import Variant, with_storage

if TYPE_CHECKING:
    from actbench.planning.presets import Axes, Preset


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user names of each axis, globs among them; an axis of which nothing is named stays as it is."""

    activations: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    strategies: tuple[Variant, ...] = ()
    residual_dtypes: tuple[str, ...] = ()
    """Types in which residuals are kept, in addition to each strategy as it is."""
    ops: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    operands: tuple[str, ...] = ()
    """States of operands."""
    pattern: str = "*"
    """A glob that the ids of cases match."""

    def axes(self, strategies: tuple[Variant, ...] = ()) -> dict[str, tuple[Any, ...]]:
        """Return the axes of which something is named; types of residuals become strategies.

        `strategies` are those that these types are for where none is named. `InputError` for a type that is unknown,
        or a glob that nothing matches.
        """
        named = self.expanded()
        types = named.residual_dtypes
        axes: dict[str, tuple[Any, ...]] = {
            "activations": named.activations,
            "backends": named.backends,
            "strategies": with_storage(named.strategies or strategies, types, RUNGS) if types else named.strategies,
            "ops": named.ops,
            "dtypes": named.dtypes,
            "sizes": named.sizes,
            "operands": named.operands,
        }
        return {name: values for name, values in axes.items() if values}

    def expanded(self) -> Selection:
        """Return the selection with names of what is here in place of globs; `InputError` where one matches none."""
        from actbench.planning.globs import expand_axes  # options need no registry

        return self._with(expand_axes(self._names()))

    def expanded_over(self, present: Mapping[str, Iterable[str]]) -> Selection:
        """Return the selection with names in place of globs, of what is `present` on each axis."""
        from actbench.planning.globs import NOUNS, expand, expand_variants

        named = self._names()
        variants = expand_variants(named.pop("strategies"), present["strategies"])
        expanded = {axis: expand(values, present[axis], NOUNS[axis]) for axis, values in named.items()}
        return self._with(expanded | {"strategies": variants})

    def _names(self) -> dict[str, tuple[Any, ...]]:
        """Return the axes whose values are names."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in {"sizes", "pattern"}}

    def _with(self, named: Mapping[str, Any]) -> Selection:
        return replace(self, **named)

    def over(self, start: Axes) -> Axes:
        """Return these axes with those that are named in their place; `InputError` for an unknown op or dtype."""
        axes = self.axes(start.strategies)
        readers: dict[str, Callable[[str], StrEnum]] = {
            "ops": names.op,
            "dtypes": names.dtype,
            "operands": names.operand_state,
        }
        return start.with_named(
            axes | {name: tuple(map(readers[name], axes[name])) for name in readers if name in axes}
        )

    def query(self, preset: Preset, room: Room) -> CaseQuery:
        """Return what asks an environment for the cases of a preset that are selected; `InputError` as in `axes`."""
        axes = self.axes(preset.axes.strategies)
        plain: dict[str, tuple[Any, ...]] = {name: tuple(map(str, values)) for name, values in axes.items()}
        if self.sizes:
            plain["sizes"] = tuple(size.elements for size in self.sizes)
        return CaseQuery(preset.name, plain, self.pattern, room, tuple(str(size.shape) for size in self.sizes))


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
    """What an environment is to offer, as it is sent to a worker: a preset, axes in its place, and what to keep."""

    preset: str
    axes: dict[str, tuple[Any, ...]]
    """The user's, by name, in place of the preset's: names as text, sizes as numbers of elements."""
    pattern: str
    """A glob that the ids of cases match."""
    room: Room
    shapes: tuple[str, ...] = ()
    """The shapes of these sizes, empty where one is a number; beside them, since not every actbench knows shapes."""

    def over(self, start: Axes) -> Axes:
        """Return these axes with the user's in their place."""
        numbers = self.axes.get("sizes", ())
        sizes = tuple(map(Size, numbers, map(Shape, self.shapes or ("",) * len(numbers))))
        return start.with_named({**self.axes, **({"sizes": sizes} if sizes else {})})
