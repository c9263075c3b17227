"""From a calibrated block to values: what is asked of a worker, and what its answers come to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from actbench.measure.calibration import Slices, calibrate, loops_by_doubling
from actbench.measure.client import Worker
from actbench.measure.protocol import Slice, Sweep
from actbench.measure.schedule import order
from actbench.model import CACHED, Block, Calibration, Probe

PROBES = 3
"""Slices of a probe."""

MOVES = 4
"""How often a round puts the code elsewhere in memory, at least, where it has so many values."""


def calibrated(
    worker: Worker, block: Block, arm_seconds: float, timeout: float, clock: Callable[[], float]
) -> Calibration:
    """Fix the loops of the block that the worker has taken up; times in seconds."""
    time_slices = _timing(worker, timeout)

    def place() -> float:
        start = clock()
        time_slices(())
        return clock() - start

    return calibrate(block, time_slices, place, arm_seconds)


def probed(worker: Worker, block: Block, seed: int, timeout: float) -> tuple[Probe, ...]:
    """Time each arm of the block on one element and on a cacheful, whatever its own size: roughly."""
    single, cached = (_least(worker, replace(block, size=size), seed, timeout) for size in (1, CACHED))
    return tuple(map(Probe, single, cached))


def _least(worker: Worker, block: Block, seed: int, timeout: float) -> list[float]:
    """Return seconds per call by arm: the least of a few slices, since what disturbs makes a slice longer."""
    worker.prepare(block, seed)
    time_slices = _timing(worker, timeout)
    loops, _ = loops_by_doubling(len(block.timed), time_slices)
    taken = time_slices(PROBES * list(enumerate(loops)))
    return [min(taken[arm :: len(loops)]) / count for arm, count in enumerate(loops)]


def _timing(worker: Worker, timeout: float) -> Callable[[Slices], tuple[float, ...]]:
    """Return what times slices at one placement."""

    def time_slices(slices: Slices) -> tuple[float, ...]:
        return worker.time([Sweep(0, tuple(Slice(*each) for each in slices))], timeout)[0]

    return time_slices


def sweeps(calibration: Calibration, rng: random.Random) -> Iterator[Sweep]:
    """Yield a round's sweeps, one a value, each at addresses of its own; slow arms are in the first ones only."""
    count = max(calibration.values)
    for index in range(count):
        arms = [arm for arm, own in enumerate(calibration.values) if index < own]
        slices = (Slice(arm, calibration.loops[arm], phase) for arm, phase in order(arms, calibration.slices, rng))
        yield Sweep(rng.getrandbits(32), tuple(slices), move=index % max(1, count // MOVES) == 0)


def burden(sweep: Sweep, share: float) -> Sweep:
    """Return the sweep with so many more calls in every slice, to the nearest whole call."""
    return replace(sweep, slices=tuple(each._replace(calls=further(each.calls, share)) for each in sweep.slices))


def further(calls: int, share: float) -> int:
    """Return calls and a share of them, to the nearest whole call."""
    return calls + round(calls * share)


def values(
    calibration: Calibration, swept: Sequence[Sweep], timed: Sequence[Sequence[float]]
) -> tuple[tuple[float, ...], ...]:
    """Return seconds per call by arm and value, from the seconds of every slice of every sweep."""
    found: list[list[float]] = [[] for _ in calibration.loops]
    for sweep, seconds in zip(swept, timed, strict=True):
        totals: dict[int, float] = {}
        for done, taken in zip(sweep.slices, seconds, strict=True):
            totals[done.arm] = totals.get(done.arm, 0.0) + taken
        for arm, total in totals.items():
            found[arm].append(total / calibration.calls(arm))
    return tuple(map(tuple, found))
