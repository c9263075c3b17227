"""What the tests of live checks share: their selections, and times that change."""

from __future__ import annotations

from collections.abc import Callable

from actbench.model.cases import Case
from tests.support.exact_times import exact_seconds
from tests.support.selections import TWO_BLOCKS

OTHER = ("check", "--against", "other")

CASES = (*OTHER, *TWO_BLOCKS)

CACHED = "logistic/cached/numpy/derivative/float64/1000"


def slower(factor: float, *, size: int = 1000) -> Callable[[Case], float]:
    """Return exact times in which one case takes so many times as long."""
    return lambda case: exact_seconds(case) * (factor if (case.strategy, case.size) == ("cached", size) else 1.0)


def slower_strategy(factor: float, strategy: str = "cached") -> Callable[[Case], float]:
    """Return exact times in which a strategy, or the yardstick, takes so many times as long."""
    return lambda case: exact_seconds(case) * (factor if case.strategy == strategy else 1.0)
