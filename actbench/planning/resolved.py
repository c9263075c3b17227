"""Axes with what their names stand for: the names of a selection are looked up here, once, and not again inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, partial
from itertools import product
from typing import Any, TypeVar

from actbench import registry
from actbench.backends import Backend
from actbench.errors import InputError
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.overhead import Ladder
from actbench.kernels.subject import Subject
from actbench.model import names
from actbench.model.cases import OVERHEAD, RUNGS, Case, KernelId
from actbench.model.sizes import Size
from actbench.model.training import SHIPPED
from actbench.model.variants import Variant
from actbench.planning import presets
from actbench.planning.presets import Axes
from actbench.planning.selection import CaseQuery

T = TypeVar("T")

LOOK_UPS: dict[str, Callable[[str], Any]] = {
    "activations": resolution.activation_or_ladder,
    "backends": registry.backend,
    "strategies": registry.variant,
    "ops": names.op,
    "dtypes": names.dtype,
    "operands": names.operand_state,
}
"""What a name on an axis stands for; each raises `InputError` for one that cannot be used here."""


@dataclass(frozen=True, slots=True)
class ResolvedAxes:
    """What to measure: the product of these, less what does not exist."""

    activations: tuple[Activation | Ladder, ...]
    backends: tuple[Backend, ...]
    axes: Axes
    """The others."""

    @classmethod
    def of(cls, axes: Axes, values: dict[str, tuple[Any, ...]]) -> ResolvedAxes:
        """Return axes with what `LOOK_UPS` gave for their names."""
        others: dict[str, Any] = {
            axis: value for axis, value in values.items() if axis not in {"activations", "backends"}
        }
        return cls(values["activations"], values["backends"], replace(axes, **others))

    def cases(self, pattern: str) -> Iterator[tuple[Case, Subject]]:
        """Yield the cases that exist as mathematics, each once, with what they execute, in the order of tables."""
        subject = cache(resolution.subject)
        in_tables = partial(Variant.sort_key, order=registry.strategies_and_rungs())
        backends = sorted(dict.fromkeys(self.backends), key=[*registry.backends().values()].index)
        sizes = sorted({(size.elements, str(size)): size for size in self.axes.sizes}.values())
        for activation in dict.fromkeys(self.activations):
            axes = self.axes.of(activation)
            existing = sorted(axes.strategies, key=in_tables)
            shipping = self._shipping(activation)
            for op, dtype, size in product(axes.ops_of(activation), dict.fromkeys(axes.dtypes), sizes):
                for operands, backend, strategy in product(axes.states, backends, existing):
                    if not axes.include(operands, size, backend.name, strategy):
                        continue
                    if strategy == SHIPPED and backend not in shipping:
                        continue
                    kernel = KernelId(activation.name, strategy, backend.name, op, dtype)
                    case = kernel.of(size, operands, size.shape.rows if _has_rows(activation) else 1)
                    if fnmatchcase(case.id, pattern):
                        yield case, subject(kernel, activation, backend)

    def _shipping(self, activation: Activation | Ladder) -> tuple[Backend, ...]:
        """Return the backends that have an activation of their own; all, each with its reason, where none has one.

        None of them has a rung of its own.
        """
        if isinstance(activation, Ladder):
            return ()
        having = (backend for backend in self.backends if not backend.unshipped(activation.name))
        return tuple(having) or self.backends


def resolved(axes: Axes) -> ResolvedAxes:
    """Look the names up; `InputError` where one is not known, or a backend cannot be used here."""
    values = {axis: tuple(map(look_up, getattr(axes, axis))) for axis, look_up in LOOK_UPS.items()}
    _refuse_mixed(axes.activations, axes.strategies)
    _refuse_two_names(axes.sizes, values["activations"])
    return ResolvedAxes.of(axes, values)


def resolved_here(query: CaseQuery) -> ResolvedAxes | None:
    """Look the names of a query up, leaving out what is not known here; None where its preset is not."""
    preset = presets.catalogue().get(query.preset)
    if preset is None:
        return None
    axes = query.over(preset.axes)
    return ResolvedAxes.of(
        axes, {axis: tuple(_known(look_up, getattr(axes, axis))) for axis, look_up in LOOK_UPS.items()}
    )


def refuse_unknown(query: CaseQuery, elsewhere: Iterable[Case]) -> None:
    """Raise `InputError` for a name of the user's that cannot be used here and is not among the cases elsewhere."""
    axes = query.over(presets.get(query.preset).axes)
    _refuse_mixed(axes.activations, axes.strategies)
    known_there = {
        name for case in elsewhere for name in (case.activation, case.backend, case.strategy, case.op, case.dtype)
    }
    for axis, look_up in LOOK_UPS.items():
        for name in query.axes.get(axis, ()):
            if name not in known_there:
                look_up(name)


def _refuse_mixed(activations: Sequence[str], strategies: Sequence[str]) -> None:
    """Raise `InputError` where a part of the selection would go without a word: rungs and strategies do not mix."""
    rungs = [name for name in strategies if name in RUNGS]
    others = [name for name in activations if name != OVERHEAD]
    if OVERHEAD in activations and not rungs:
        raise InputError(
            f"'{OVERHEAD}' has rungs in place of strategies: add -s {','.join(RUNGS)}, or use --preset {OVERHEAD}"
        )
    if rungs and OVERHEAD not in activations:
        raise InputError(
            f"'{rungs[0]}' is a rung of the overhead ladder: add -a {OVERHEAD}, or use --preset {OVERHEAD}"
        )
    if others and rungs and not [name for name in strategies if name not in RUNGS]:
        raise InputError(
            f"'{others[0]}' has strategies in place of rungs: add -s {','.join(registry.strategies())}, or leave it out"
        )


def _has_rows(activation: Activation | Ladder) -> bool:
    """Return whether it works along rows, so that their number is an axis."""
    return isinstance(activation, Activation) and activation.is_row


def _refuse_two_names(sizes: Iterable[Size], activations: Iterable[Activation | Ladder]) -> None:
    """Raise `InputError` where a measurement is named twice, once by a shape: it is measured once."""
    of_elements = next((activation for activation in activations if not _has_rows(activation)), None)
    names: dict[tuple[int, int], str] = {}
    for size in sizes:
        first = names.setdefault((size.elements, 1 if of_elements else size.shape.rows), str(size))
        if first != str(size):
            what = f"{of_elements.name}, of {size.elements} elements in a row" if of_elements else "the same rows"
            raise InputError(f"{first} and {size} are the same measurement of {what}: name one of them")


def _known(look_up: Callable[[str], T], names: Iterable[str]) -> Iterator[T]:
    """Yield what the names stand for that are known here."""
    for name in names:
        with suppress(InputError):
            yield look_up(name)
