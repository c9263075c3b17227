"""What a shell offers after Tab: the names that an option takes, in lists as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import click
from click.shell_completion import CompletionItem


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names that begin as the last one of a list does; those that the list has are not offered again."""
    del ctx
    before, comma, last = incomplete.rpartition(",")
    names = NAMES.get(param.name or "", tuple)()
    return [
        CompletionItem(f"{before}{comma}{name}")
        for name in dict.fromkeys(names)
        if name.startswith(last) and name not in before.split(",")
    ]


def _activations() -> Iterable[str]:
    from actbench import registry

    return registry.activations()


def _backends() -> Iterable[str]:
    from actbench import registry

    return registry.available_backends()


def _strategies() -> Iterable[str]:
    from actbench import registry
    from actbench.model.training import SHIPPED

    return (*registry.strategies(), SHIPPED)


def _networks() -> Iterable[str]:
    from actbench import registry

    return (f"{name}:" for name in registry.networks())


def _dtypes() -> Iterable[str]:
    from actbench.model.names import Dtype

    return Dtype


def _storages() -> Iterable[str]:
    from actbench.model.names import Storage

    return Storage


def _ops() -> Iterable[str]:
    from actbench.model.names import Op

    return Op


def _states() -> Iterable[str]:
    from actbench.model.names import OperandState

    return OperandState


def _quantities() -> Iterable[str]:
    from actbench.model.names import Quantity

    return Quantity


def _presets() -> Iterable[str]:
    from actbench.planning import presets

    return presets.catalogue()


def _cases() -> Iterable[str]:
    from actbench.planning import presets, suite
    from actbench.planning.room import room_here

    axes = presets.get(presets.DEFAULT).axes
    return (case.id for case in suite.plan(axes, room_here(axes), seed=0).cases)


NAMES: Mapping[str, Callable[[], Iterable[str]]] = {
    "activations": _activations,
    "backends": _backends,
    "case": _cases,
    "dtypes": _dtypes,
    "networks": _networks,
    "operands": _states,
    "ops": _ops,
    "predictors": _states,
    "preset": _presets,
    "quantities": _quantities,
    "residual_dtypes": _storages,
    "strategies": _strategies,
}
"""What can stand for a parameter, by its name."""
