"""How many calls make a slice, how many slices a value, how many values a round.

Where operands and results happen to lie is the largest source of variance in ratios. So an arm's time in a round is
spent on many short values, each at a different placement, rather than on a few long ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul

from actbench.kernels.placement import PHASED, PHASES
from actbench.model.calibration import Calibration
from actbench.model.cases import Block

MAX_LOOPS = 2**32

SLICE_SECONDS = 0.0001
"""The least that a slice takes: short enough for most slices to escape the operating system's timer tick."""

ALIGNMENT_SENSITIVE = 1 << 18
"""Bytes: up to this, an array's alignment alone makes a kernel faster or slower by up to a third. A value then takes
one slice in every phase; above, two: the fewest that mirror (A B B A)."""

MAX_VALUES = 128
"""The most values of an arm in a round: beyond, what differs between processes outweighs what differs within one."""

MIN_VALUES = 3
"""The fewest, so that their median outlives a disturbance. Where calls take long, out of cache or in pure Python, it is
one: of a long value a disturbance is a small part, and three of them cost what is better spent on rounds."""

STRETCH = 2.0
"""How much longer than it should an arm may take to have as many values as any other: value by value a ratio is free of
what slows both sides, and medians of unlike numbers of values are not."""

Slices = Sequence[tuple[int, int]]
"""Slices in order: the arm, and its calls."""


def calibrate(
    block: Block, time: Callable[[Slices], Sequence[float]], place: Callable[[], float], arm_seconds: float
) -> Calibration:
    """Fix loops and values of a block's arms, so that each takes about `arm_seconds` of a round.

    `time(slices)` returns seconds; the untimed call before each slice counts. `place()` returns the seconds of placing
    the operands again, which may take as much of a round as one more arm.
    """
    loops, seconds = loops_by_doubling(len(block.timed), time)
    nbytes = block.size * block.dtype.itemsize
    slices = PHASES if nbytes <= ALIGNMENT_SENSITIVE else 2
    costs = [slices * (count + 1) * call for count, call in zip(loops, seconds, strict=True)]
    place_seconds = place()
    values = _values(costs, place_seconds, arm_seconds, in_cache=nbytes <= PHASED)
    round_seconds = sum(map(mul, values, costs)) + max(values) * place_seconds
    return Calibration(tuple(loops), values, slices, round_seconds)


def _values(costs: Sequence[float], place_seconds: float, arm_seconds: float, *, in_cache: bool) -> tuple[int, ...]:
    """Return the values of each arm, from the seconds that one takes."""
    fitting = [int(arm_seconds / max(cost, place_seconds, SLICE_SECONDS)) for cost in costs]
    counts = [min(MAX_VALUES, max(count, MIN_VALUES if in_cache and count else 1)) for count in fitting]
    most = max(counts)
    return tuple(
        most if cost * most <= STRETCH * arm_seconds else count for cost, count in zip(costs, counts, strict=True)
    )


def loops_by_doubling(arms: int, time: Callable[[Slices], Sequence[float]]) -> tuple[list[int], list[float]]:
    """Return loops and seconds per call by pyperf's rule: double the loops until they take long enough."""
    loops, seconds = [1] * arms, [0.0] * arms
    todo = list(range(arms))
    while todo:
        timings = time([(arm, loops[arm]) for arm in todo])
        for arm, elapsed in zip(todo, timings, strict=True):
            seconds[arm] = elapsed / loops[arm]
        todo = [
            arm
            for arm, elapsed in zip(todo, timings, strict=True)
            if elapsed < SLICE_SECONDS and 2 * loops[arm] <= MAX_LOOPS
        ]
        for arm in todo:
            loops[arm] *= 2
    return loops, seconds
