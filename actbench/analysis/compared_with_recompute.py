"""Which pairs of strategies are worth a row: those with recompute, wherever it was measured."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from actbench.model.training import RECOMPUTE

T = TypeVar("T")


def with_recompute(
    pairs: Iterable[T], subject: Callable[[T], Hashable], strategies: Callable[[T], set[str]]
) -> list[T]:
    """Return the pairs of recompute and another strategy; of a subject that has none of these, all of its pairs.

    Which one of a pair is the reference depends on the order of strategies, in which `textbook` is before recompute.
    """
    pairs = [*pairs]
    measured = {subject(pair) for pair in pairs if RECOMPUTE in strategies(pair)}
    return [pair for pair in pairs if RECOMPUTE in strategies(pair) or subject(pair) not in measured]
