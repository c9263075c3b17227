"""In which type residuals are kept: that of the arithmetic, or a narrower one, as in mixed-precision training.

A strategy is a choice of residuals, so its name says it: ``cached`` keeps y as it was computed, ``cached:float16``
rounds it to float16, and widens it again where g' is computed from it. Everything else, the upstream gradient, the
output and what a call returns, stays in the type of the arithmetic. Narrow residuals have such names, too:
``y:float16``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from actbench.errors import InputError, unknown
from actbench.model.cases import RUNGS
from actbench.model.names import Storage


def split(name: str) -> tuple[str, Storage | None]:
    """Return a strategy, or a residual, as if it were kept as computed, and the type that it is kept in otherwise.

    `InputError` where there is no such type.
    """
    plain, colon, kept_in = name.partition(":")
    if colon and kept_in not in list(Storage):
        raise unknown(f"residual dtype of {plain}", kept_in, list(Storage))
    return plain, Storage(kept_in) if colon else None


def require(strategy: str, known: Collection[str]) -> None:
    """Raise `InputError` where this is none of the strategies and rungs that are known; a rung keeps nothing."""
    plain, storage = split(strategy)
    if plain not in known or (storage and plain in RUNGS):
        raise unknown("strategy", strategy, known)


def exists(strategy: str, known: Collection[str]) -> bool:
    """Say whether this is a strategy or a rung that is known."""
    try:
        require(strategy, known)
    except InputError:
        return False
    return True


def rank(strategy: str, order: Sequence[str]) -> tuple[int, int]:
    """Return the place of a strategy or a rung in tables: a narrow variant after the strategy that it is of.

    Those that are not in the order, such as a user's own, come last.
    """
    plain, colon, kept_in = strategy.partition(":")
    types = list(map(str, Storage))
    narrow = 1 + (types.index(kept_in) if kept_in in types else len(types)) if colon else 0
    return order.index(plain) if plain in order else len(order), narrow


def variants(strategies: Iterable[str], types: Iterable[str]) -> tuple[str, ...]:
    """Return these strategies, and beside each that says no type itself those that keep its residuals in `types`."""
    given, types = tuple(strategies), tuple(types)
    for name in types:
        if name not in list(Storage):
            raise unknown("residual dtype", name, list(Storage))
    plain = [name for name in given if ":" not in name and name not in RUNGS]
    if not plain:
        raise InputError(f"--residual-dtype: no strategy among {', '.join(given)} keeps what it computed as it is")
    return tuple(dict.fromkeys((*given, *(f"{name}:{kept_in}" for name in plain for kept_in in types))))
