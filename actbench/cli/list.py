"""``actbench list``."""

from __future__ import annotations

from typing import Any

import click

from actbench.cli.parameters import axes, selection


@click.command()
@click.argument(
    "what",
    type=click.Choice(["activations", "backends", "strategies", "rungs", "presets", "cases", "packages"]),
    required=False,
)
@selection("default")
def command(what: str | None, **chosen: Any) -> None:
    """List what there is, and why something is not available here.

    The selection options narrow `actbench list cases`.

    \b
    Examples:
      actbench list
      actbench list backends
      actbench list cases --preset full -b numba
    """
    if what == "cases":
        _cases(chosen)
        return
    sections = {
        "activations": _activations,
        "backends": _backends,
        "strategies": _strategies,
        "rungs": _rungs,
        "presets": _presets,
        "packages": _packages,
    }
    if what == "packages" and not _packages():
        click.echo("no installed package offers activations or backends through entry points", err=True)
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


def _activations() -> list[tuple[str, str]]:
    from actbench import activations
    from actbench.report import mathematics

    rows = []
    for found in activations.catalogue().values():
        rows.append((mathematics.signature(found), f"{found.summary}  [{', '.join(found.strategies)}]"))
        rows.append(("", "; ".join(mathematics.facts(found))))
    return rows


def _backends() -> list[tuple[str, str]]:
    from actbench import backends

    return [
        (
            name,
            f"not available: {backend.unavailable}"
            if backend.unavailable
            else f"{backend.summary}  [{', '.join(backend.dtypes)}]",
        )
        for name, backend in backends.catalogue().items()
    ]


def _strategies() -> list[tuple[str, str]]:
    from actbench.model import STRATEGIES

    return list(STRATEGIES.items())


def _rungs() -> list[tuple[str, str]]:
    from actbench.model import RUNGS

    return list(RUNGS.items())


def _presets() -> list[tuple[str, str]]:
    from actbench.suite import presets

    return [(name, preset.summary) for name, preset in presets().items()]


def _packages() -> list[tuple[str, str]]:
    """Name what installed packages offer, importing none."""
    from actbench import loading

    return [
        (
            offer.distribution,
            f"{offer.version}, not loaded by itself: add --load {offer.distribution}  [{', '.join(offer.names)}]",
        )
        for offer in loading.offers()
    ]


def _cases(chosen: dict[str, Any]) -> None:
    from actbench import suite
    from actbench.report.summary import left_out_lines
    from actbench.runs.environment import memory

    wanted = axes(suite.preset(chosen["preset"]).axes, chosen)
    plan = suite.plan(wanted, pattern=chosen["pattern"], seed=0, memory=memory())
    for case in plan.cases:
        click.echo(case.id)
    for line in left_out_lines(plan.left_out):
        click.echo(line, err=True)
