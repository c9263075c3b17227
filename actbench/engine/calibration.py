"""Calibration: the number of calls per slice, of slices per value, and of values per round.

The addresses of operands and results are the largest source of variance in ratios. So an arm's time in a round is
divided among many short values, each at a different placement, instead of a few long ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from operator import mul

from actbench.kernels.placement import PHASED, PHASES
from actbench.model.calibration import SLOW_CALL, Calibration
from actbench.model.cases import Block

MAX_LOOPS = 2**32

SLICE_SECONDS = 0.0001
"""Least duration of a slice: short enough for most slices to escape the operating system's timer tick."""

CALLS = 4
"""Least number of calls in a slice, where they take no longer than `LONG_SLICE_SECONDS`. A slice follows one untimed
call or several, until the result lies as intended, and a watched call follows every value: of single calls, no more
than a third would be timed."""

LONG_SLICE_SECONDS = 0.002
"""Longest duration of a slice of several slow calls: half of the period of a slow timer tick."""

ALIGNMENT_SENSITIVE = 1 << 18
"""Bytes up to which an array's alignment alone makes a kernel faster or slower by up to a third. A value then takes one
slice in every phase; above, it takes two, the fewest that can be mirrored (A B B A)."""

MAX_VALUES = 128
"""Largest number of values of an arm per round: beyond, differences between processes outweigh those within one."""

MIN_VALUES = 3
"""Least number of values, so that their median withstands a disturbance. Where calls take long, out of cache or in pure
Python, it is one: a disturbance is a small part of a long value, and the time is better spent on more rounds."""

STRETCH = 2.0
"""Factor by which an arm may exceed its time to have as many values as the others. Values can then be paired, and their
ratios are free of disturbances of both sides; medians of different numbers of values are not."""

Slices = Sequence[tuple[int, int]]
"""Slices in order: pairs of an arm and its number of calls."""


def calibrate(
    block: Block,
    time: Callable[[Slices], Sequence[float]],
    place: Callable[[], float],
    arm_seconds: float,
    *,
    parts: bool = False,
) -> Calibration:
    """Fix loops and values of a block's arms, so that each arm takes about `arm_seconds` per round.

    `time(slices)` returns seconds; the untimed call before each slice is included in the costs, and where `parts` of
    training steps are timed, so are as many steps beside it. `place()` returns the seconds for placing the operands
    again, which may take as much of a round as one more arm.
    """
    loops, seconds = loops_by_doubling(len(block.timed), time)
    nbytes = inf if block.op.network else block.size * block.dtype.itemsize  # steps pass through all of their memory
    slices = PHASES if nbytes <= ALIGNMENT_SENSITIVE else 2
    single = () if block.op.network else tuple(arm for arm, call in enumerate(seconds) if call >= SLOW_CALL)
    steps = 2 if parts else 1
    costs = [
        (1 if arm in single else slices) * (steps * count + 1) * call
        for arm, (count, call) in enumerate(zip(loops, seconds, strict=True))
    ]
    place_seconds = place()
    values = _values(costs, place_seconds, arm_seconds, in_cache=nbytes <= PHASED)
    round_seconds = sum(map(mul, values, costs)) + max(values) * place_seconds
    return Calibration(tuple(loops), values, slices, round_seconds, single)


def _values(costs: Sequence[float], place_seconds: float, arm_seconds: float, *, in_cache: bool) -> tuple[int, ...]:
    """Return the number of values of each arm, from the seconds of one value."""
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
            if elapsed < _least_seconds(loops[arm]) and 2 * loops[arm] <= MAX_LOOPS
        ]
        for arm in todo:
            loops[arm] *= 2
    return loops, seconds


def _least_seconds(loops: int) -> float:
    """Return the duration from which on a slice of so many calls is not doubled."""
    return SLICE_SECONDS if loops >= CALLS else max(SLICE_SECONDS, LONG_SLICE_SECONDS / 2)
