"""Answers remembered by name, for as long as a name means the same.

Activations, strategies and backends go by their names everywhere. Where a user's own code is loaded, or left behind
again, a name may come to mean something else: then all of these answers are forgotten at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar


class Remembering(Protocol):
    """What `functools.cache` returns."""

    def cache_clear(self) -> None:
        """Forget."""


R = TypeVar("R", bound=Remembering)

_CLEAR: list[Callable[[], None]] = []


def by_name(remembering: R) -> R:
    """Let a function that remembers answers about names forget them when the names change."""
    _CLEAR.append(remembering.cache_clear)
    return remembering


def forget() -> None:
    """Forget every answer."""
    for clear in _CLEAR:
        clear()
