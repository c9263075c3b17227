"""What each backend computes, and the version that it needs of its library: from its class and pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from actbench import registry
from actbench.backends import Backend

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def abilities() -> Iterator[str]:
    """Yield a table: a row for backends that are alike."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, backend in registry.backends().items():
        kinds = (_yes(holds=backend.takes_rows), _yes(holds=backend.takes_gated), _training(backend))
        alike.setdefault((", ".join(backend.dtypes), *kinds, _needs(backend)), []).append(f"`{name}`")
    yield "| backend | dtypes | rows | gated | training steps | needs |"
    yield "|---|---|---|---|---|---|"
    for cells, names in alike.items():
        yield f"| {', '.join(names)} | {' | '.join(cells)} |"


def _yes(*, holds: bool) -> str:
    return "yes" if holds else "no"


def _training(backend: Backend) -> str:
    """Say whether it has products of matrices, or can compute the activation between numpy's."""
    return "yes" if backend.trains else "after numpy's products" if backend.takes_arrays else "no"


def _needs(backend: Backend) -> str:
    """Return the requirement that its extra adds to actbench's, without the conditions of an extra."""
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    requirements = (line.partition(";")[0] for lines in extras.values() for line in lines)
    needed = (line for line in requirements if backend.requires and line.partition(">=")[0] == backend.requires)
    return next((line.replace(">=", " >= ") for line in needed), "-")
