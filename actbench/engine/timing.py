"""From a calibrated block to its values: the requests to a worker, and the values from its answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from actbench.engine.calibration import Slices, calibrate
from actbench.engine.launch import Worker
from actbench.engine.protocol import Prepare, Slice, Sweep, Taken, Time, Timed
from actbench.engine.schedule import order
from actbench.engine.working.same_network import require_planned
from actbench.kernels.resolution import backends
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.plan import Plan

SHARE_DIGITS = 4
"""Digits of a share of the processor, which resolve a hundredth of a percent."""

MOVES = 4
"""Number of times per round and block that the code is moved in memory, where there are enough values."""

VALUES_AT_A_PLACE = 8
"""Least number of values between two moves, which take 3 ms each."""

PLACINGS = 3
"""Number of placements in a request whose duration shows how long one takes, and of such requests: the least counts,
since either may wait for another process on the same processor longer than placements take."""

PLACINGS_SECONDS = 0.1
"""Duration from which on no further request follows."""


def prepare(worker: Worker, block: Block, plan: Plan, timeout: float, *, whole: bool = False) -> None:
    """Let a worker take up a block; each case that is compiled for its size may take as long as the time limit."""
    compiled = sum(any(backend.compiles_for_a_size for backend in backends([case])) for case in block.cases)
    prepared = worker.ask(Prepare.of(block, plan, whole=whole), more_time=max(0, compiled - 1) * timeout)
    require_planned(block.op, prepared.network)


def calibrated(
    worker: Worker, block: Block, arm_seconds: float, clock: Callable[[], float], *, parts: bool = False
) -> Calibration:
    """Fix the loops of the block that the worker has prepared, whose rounds may time parts; times in seconds."""

    def time_slices(slices: Slices) -> tuple[float, ...]:
        sweep = Sweep(0, tuple(Slice(arm, calls) for arm, calls in slices))
        return worker.ask(Time((sweep,))).seconds[0]

    def place() -> float:
        durations: list[float] = []
        while len(durations) < PLACINGS and sum(durations) < PLACINGS_SECONDS:
            start = clock()
            worker.ask(Time((Sweep(0, ()),) * PLACINGS))
            durations.append(clock() - start)
        return min(durations) / PLACINGS

    return calibrate(block, time_slices, place, arm_seconds, parts=parts)


def sweeps(block: Block, calibration: Calibration, rng: random.Random) -> Iterator[Sweep]:
    """Yield the sweeps of a round, one per value, each at new addresses; slow arms are in the first ones only."""
    most = max(calibration.values)
    between = max(VALUES_AT_A_PLACE, -(-most // MOVES))
    for index in range(most):
        arms = [arm for arm, count in enumerate(calibration.values) if index < count]
        yield Sweep(rng.getrandbits(32), tuple(_slices(block, calibration, arms, rng)), move=index % between == 0)


def _slices(block: Block, calibration: Calibration, arms: Sequence[int], rng: random.Random) -> Iterator[Slice]:
    """Yield the slices of one value of these arms, in order."""
    left = {arm: calibration.slices_of(arm) for arm in arms}
    libraries = [case.backends[0] for case in block.timed] if block.op.network else None
    for arm, phase in order(arms, calibration.slices, rng, libraries):
        if left[arm]:
            left[arm] -= 1
            yield Slice(arm, calibration.loops[arm], phase)


def slow_down(sweep: Sweep, share: float) -> Sweep:
    """Return the sweep with this share of additional calls in every slice, to the nearest whole call."""
    slices = (part._replace(calls=with_extra_calls(part.calls, share)) for part in sweep.slices)
    return replace(sweep, slices=tuple(slices))


def with_extra_calls(calls: int, share: float) -> int:
    """Return calls and a share of them, to the nearest whole call."""
    return calls + round(calls * share)


class Values(NamedTuple):
    """The values of a block in one round, by arm and value."""

    seconds: tuple[tuple[float, ...], ...]
    """Per call."""
    processor: tuple[tuple[float, ...], ...]
    """The share of the wall time in which the process had the processor; 0 where it is unknown."""


def values(calibration: Calibration, swept: Sequence[Sweep], timed: Iterable[Timed]) -> Values:
    """Return the values from the slices of every sweep; each answer continues the sweeps of the previous one."""
    seconds: list[list[float]] = [[] for _ in calibration.loops]
    processor: list[list[float]] = [[] for _ in calibration.loops]
    answers = chain.from_iterable(zip(answer.seconds, answer.processor, strict=True) for answer in timed)
    for sweep, of_slices in zip(swept, answers, strict=True):
        slices: dict[int, list[Taken]] = {}
        for done, *timings in zip(sweep.slices, *of_slices, strict=True):
            slices.setdefault(done.arm, []).append(Taken(*timings))
        for arm, arm_slices in slices.items():
            total = sum(one.seconds for one in arm_slices)
            seconds[arm].append(total / calibration.calls(arm))
            processor[arm].append(_share(total, arm_slices))
    return Values(tuple(map(tuple, seconds)), tuple(map(tuple, processor)))


def _share(total: float, slices: Sequence[Taken]) -> float:
    """Return the share of the processor over several slices with this total duration in seconds."""
    if not all(one.processor for one in slices):
        return 0.0
    return round(total / sum(one.seconds / one.processor for one in slices), SHARE_DIGITS) or 10**-SHARE_DIGITS
