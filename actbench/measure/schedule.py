"""In which order arms are timed, and how many calls make a slice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from actbench.model import Calibration

MAX_LOOPS = 2**32


SLICES = 2
"""Slices in a value: the fewest that mirror (A B B A)."""

SLICE_SECONDS = 0.0005
"""The least that a slice takes."""

MAX_VALUES = 32
"""The most values of an arm in a round. Each has a placement of its own: ratios scatter by placement more than by
anything else, so that many short values say more than a few long ones."""


def double_until(time_loops: Callable[[int], float], seconds: float) -> tuple[int, float]:
    """Calibrate by pyperf's rule: double the loops until they take `seconds`; return loops and seconds per call."""
    loops = 1
    while True:
        elapsed = time_loops(loops)
        if elapsed >= seconds or loops * 2 > MAX_LOOPS:
            return loops, elapsed / loops
        loops *= 2


def calibrate(time_arm: Callable[[int, int], float], arms: int, arm_seconds: float) -> Calibration:
    """Fix the loops of a block's `arms`, and the values that each gets for `arm_seconds` of a round: at least one.

    `time_arm(arm, loops)` returns seconds. The untimed call before each slice counts.
    """
    measured = [double_until(partial(time_arm, arm), SLICE_SECONDS) for arm in range(arms)]
    costs = [SLICES * (loops + 1) * seconds for loops, seconds in measured]
    values = tuple(max(1, min(MAX_VALUES, int(arm_seconds / cost))) for cost in costs)
    return Calibration(
        loops=tuple(loops for loops, _ in measured),
        values=values,
        slices=SLICES,
        round_seconds=sum(count * cost for count, cost in zip(values, costs, strict=True)),
    )


def order(arms: Sequence[int], slices: int, rng: random.Random) -> list[int]:
    """Return `arms` in the order of one value: reshuffled and mirrored pairwise (A B B A, then B A A B or so).

    Mirroring cancels a linear drift; reshuffling keeps any arm from always following the same other one.
    """
    sequence: list[int] = []
    for _ in range(slices // 2):
        shuffled = rng.sample(arms, len(arms))
        sequence += shuffled + shuffled[::-1]
    return sequence
