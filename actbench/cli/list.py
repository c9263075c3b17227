"""``actbench list``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import click

from actbench.cli.options import on_command_line, selection
from actbench.planning.selection import Selection

T = TypeVar("T")

SECTIONS = ("activations", "backends", "strategies", "networks", "arms", "operands", "rungs", "presets")
"""What is listed where nothing is named, in this order, followed by packages where there are any."""


@click.command()
@click.argument(
    "what",
    type=click.Choice([*SECTIONS, "cases", "packages"]),
    required=False,
)
@selection("default")
@click.pass_context
def command(ctx: click.Context, /, *, what: str | None, preset: str, selection: Selection) -> None:
    """List what is available, and why something is not.

    The selection options narrow `actbench list cases`; -a, -b and -s also the lists of activations, backends and
    strategies.

    \b
    Examples:
      actbench list
      actbench list backends
      actbench list cases --preset full -b numba
    """
    if what == "cases":
        _cases(preset, selection)
        return
    named = on_command_line(ctx)
    for option in ctx.command.params:
        if option.name in named and option.name not in {"what", what, "load"}:
            raise click.UsageError(f"{option.opts[0]} narrows 'actbench list cases': write that, or leave it out")
    sections: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "activations": partial(_activations, selection.activations if "activations" in named else ()),
        "backends": partial(_backends, selection.backends if "backends" in named else ()),
        "strategies": partial(_strategies, selection.strategies if "strategies" in named else ()),
        "networks": _networks,
        "arms": _arms,
        "operands": _operands,
        "rungs": _rungs,
        "presets": _presets,
        "packages": _packages,
    }
    if what == "packages" and not _packages():
        click.echo("no installed package offers activations, networks or backends through entry points", err=True)
        return
    for name, lines in sections.items():
        if name == "packages" and not lines():
            continue
        if what is None:
            click.secho(name, bold=True)
        if what in {None, name}:
            rows = lines()
            width = max(len(head) for head, _ in rows)
            for head, text in rows:
                click.echo(f"{'  ' if what is None else ''}{head:<{width}}  {text}")


def _activations(names: Sequence[str]) -> list[tuple[str, str]]:
    from actbench import registry
    from actbench.planning.globs import expand
    from actbench.report import mathematics

    rows = []
    for activation in map(registry.activation, expand(names or ["*"], registry.activations(), "activation")):
        rows.append((mathematics.signature(activation), f"{activation.summary}  [{', '.join(activation.strategies)}]"))
        rows.append(("", "; ".join(mathematics.facts(activation))))
    return rows


def _backends(names: Sequence[str]) -> list[tuple[str, str]]:
    from actbench import registry

    return [
        (
            name,
            f"not available: {backend.unavailable}"
            if backend.unavailable
            else f"{backend.summary}  [{', '.join(backend.dtypes)}]",
        )
        for name, backend in _narrowed("backend", registry.backends(), names).items()
    ]


def _strategies(names: Sequence[str]) -> list[tuple[str, str]]:
    from actbench import registry
    from actbench.model.training import ARMS, SHIPPED

    return [*_narrowed("strategy", {**registry.strategies(), SHIPPED: ARMS[SHIPPED]}, names).items()]


def _narrowed(what: str, known: Mapping[str, T], names: Sequence[str]) -> dict[str, T]:
    """Return the named entries; all if no name is given."""
    from actbench.errors import unknown
    from actbench.planning.globs import expand

    names = expand(names, known, what)
    for name in names:
        if name not in known:
            raise unknown(what, name, known)
    return {name: value for name, value in known.items() if name in (names or known)}


def _networks() -> list[tuple[str, str]]:
    from actbench import registry

    return [(kind.usage, kind.summary) for kind in registry.networks().values()]


def _arms() -> list[tuple[str, str]]:
    from actbench.model.training import ARMS

    return list(ARMS.items())


def _operands() -> list[tuple[str, str]]:
    from actbench.model.names import OperandState

    return [(state, state.meaning) for state in OperandState]


def _rungs() -> list[tuple[str, str]]:
    from actbench.model.cases import RUNGS

    return list(RUNGS.items())


def _presets() -> list[tuple[str, str]]:
    from actbench.planning import presets

    return [(name, preset.summary) for name, preset in presets.catalogue().items()]


def _packages() -> list[tuple[str, str]]:
    """List the offers of installed packages, without importing any."""
    from actbench import plugins

    return [
        (
            offer.distribution,
            f"{offer.version}, not loaded by itself: add --load {offer.distribution}  [{', '.join(offer.names)}]",
        )
        for offer in plugins.offers()
    ]


def _cases(preset: str, selection: Selection) -> None:
    from actbench.planning import presets, suite
    from actbench.planning.room import room_here
    from actbench.report.remarks import left_out_lines

    axes = selection.over(presets.get(preset).axes)
    plan = suite.plan(axes, room_here(axes), pattern=selection.pattern, seed=0)
    for case in plan.cases:
        click.echo(case.id)
    for line in left_out_lines(plan.left_out):
        click.echo(line, err=True)
