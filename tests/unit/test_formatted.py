from __future__ import annotations

from dataclasses import replace

from actbench.model.calibration import Calibration
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.runs.formatted import Formatted
from tests.support.compared import BLOCK

CALIBRATIONS = {BLOCK.id: Calibration((1, 1, 1), (1, 1, 1), slices=1, round_seconds=1.0)}


def in_round(number: int, seconds: float = 1.0) -> BlockTimes:
    return BlockTimes(BLOCK, number, ((seconds,), (seconds,), (seconds,)), ((1.0,), (1.0,), (1.0,)))


def test_times_are_formatted_once_until_they_are_measured_again_or_arms_are_left_out() -> None:
    formatted: list[BlockTimes] = []

    def form(times: BlockTimes, _: Calibration) -> int:
        formatted.append(times)
        return len(times.seconds)

    times, results = Times(Plan((BLOCK,), seed=1), map(in_round, (1, 2))), Formatted(form)
    assert [*results.of(times, [BLOCK], CALIBRATIONS)] == [(BLOCK, 1, 3), (BLOCK, 2, 3)]
    times.add(in_round(2, seconds=2.0))
    times.add(in_round(3))
    assert [*results.of(times, [BLOCK], CALIBRATIONS)] == [(BLOCK, 1, 3), (BLOCK, 2, 3), (BLOCK, 3, 3)]
    assert formatted == [in_round(1), in_round(2), in_round(2, seconds=2.0), in_round(3)]
    smaller = replace(BLOCK, arms=BLOCK.arms[:1])
    times.leave_out(Plan((smaller,), seed=1))
    assert [*results.of(times, [smaller], CALIBRATIONS)] == [(smaller, number, 2) for number in (1, 2, 3)]
