"""The conditions of a measurement, which tell figures of the same name apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

Conditions = tuple[tuple[str, str], ...]
"""Names and values."""


def distinctions(keys: Iterable[tuple[Hashable, Conditions]]) -> dict[tuple[Hashable, Conditions], str]:
    """Return, for every name with its conditions, those in which it differs from others of the name; empty without."""
    alike: dict[Hashable, list[Conditions]] = {}
    for name, conditions in keys:
        alike.setdefault(name, []).append(conditions)
    shared = {name: set.intersection(*map(set, members)) for name, members in alike.items()}
    return {
        (name, conditions): ", ".join(
            f"{what} {value}" for what, value in conditions if (what, value) not in shared[name]
        )
        for name, members in alike.items()
        for conditions in members
    }
