from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench.engine import timing
from actbench.engine.calibration import (
    ALIGNMENT_SENSITIVE,
    MAX_LOOPS,
    MAX_VALUES,
    MIN_VALUES,
    SLICE_SECONDS,
    STRETCH,
    Slices,
    calibrate,
)
from actbench.engine.launch import Worker
from actbench.engine.protocol import Time, Timed
from actbench.kernels.placement import PHASED, PHASES
from actbench.model.calibration import Calibration
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.registry import STRATEGIES

IN_L2 = ALIGNMENT_SENSITIVE // 8
IN_CACHE = PHASED // 8
OUT_OF_CACHE = 10 * IN_CACHE


def block_of(timed: int, size: int) -> Block:
    """Return a block of so many arms, the yardstick among them."""
    arms = [Arm(Variant(strategy), backend) for backend in ("python", "numpy") for strategy in STRATEGIES]
    return Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, size, (*arms[: timed - 1],))


def calibrated(
    calls: list[float], arm_seconds: float = 0.04, *, size: int = IN_CACHE, place: float = 0.0
) -> tuple[Calibration, list[Slices]]:
    """Calibrate a block whose arms, the yardstick last, take so many seconds a call; return what was timed as well."""
    block = block_of(len(calls), size)
    timed: list[Slices] = []

    def time(slices: Slices) -> list[float]:
        timed.append(slices)
        return [loops * calls[arm] for arm, loops in slices]

    return calibrate(block, time, lambda: place, arm_seconds), timed


@pytest.mark.parametrize(
    ("call", "loops"),
    [(1.0, 1), (1.1e-3, 1), (0.6e-3, 2), (0.4e-3, 4), (1e-4, 4), (2e-5, 8), (1e-6, 128), (1e-9, 131072)],
)
def test_loops_are_doubled_until_they_take_long_enough(call: float, loops: int) -> None:
    calibration, timed = calibrated([call, call])
    assert calibration.loops == (loops, loops)
    counts = [count for slices in timed for arm, count in slices if arm == 0]
    assert counts == [2**power for power in range(len(counts))], "each number of loops is tried once, doubling"
    assert counts[-1] == loops


def test_loops_of_every_arm_are_found_by_its_own_calls() -> None:
    calls = [1e-6, 1e-3, 1e-5]
    calibration, timed = calibrated(calls)
    assert all(loops * call >= SLICE_SECONDS for loops, call in zip(calibration.loops, calls, strict=True))
    assert all(
        loops * call < 2 * SLICE_SECONDS for loops, call in zip(calibration.loops, calls, strict=True) if loops > 1
    )
    assert [arm for arm, _ in timed[-1]] == [0], "an arm that is done is not timed again"


def test_seconds_per_call_are_those_of_the_last_and_longest_try() -> None:
    block = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, OUT_OF_CACHE, (Arm(Variant("cached"), "numpy"),))
    attempts = iter([[0.00004, 0.1], [0.00006], [0.00012]])  # the first calls are slow
    calibration = calibrate(block, lambda _: next(attempts), lambda: 0.0, 1.0)
    assert calibration.loops == (4, 1)
    assert calibration.values[0] == MAX_VALUES
    assert calibration.round_seconds == pytest.approx(MAX_VALUES * 2 * 5 * 0.00003 + 2 * 2 * 0.1 * 2)


def test_doubling_ends_even_where_nothing_takes_time() -> None:
    calibration, _ = calibrated([0.0, 1.0])
    assert calibration.loops == (MAX_LOOPS, 1)


def test_small_arrays_are_timed_in_every_phase_and_large_ones_in_mirrored_pairs() -> None:
    assert calibrated([1e-6, 1e-6], size=IN_L2)[0].slices == PHASES
    assert calibrated([1e-6, 1e-6], size=IN_L2 + 1)[0].slices == 2
    assert PHASES % 2 == 0, "slices can be mirrored"


def test_arms_get_as_many_values_as_fit_into_their_time() -> None:
    calibration, _ = calibrated([1e-3, 2.1e-3])
    assert calibration.loops == (1, 1)
    assert calibration.values == (10, 4), "a slice is one untimed call and one timed"


def test_an_arm_may_take_twice_its_time_to_have_as_many_values_as_any_other() -> None:
    assert calibrated([1e-3, 2e-3, 1.5e-3])[0].values == (10, 10, 10)
    assert calibrated([1e-3, 2e-3, 2.1e-3])[0].values == (10, 10, 4)


def test_slow_arms_get_a_few_values_in_cache_and_one_where_it_fills_their_time() -> None:
    calls = [1e-9, 1e-3, 4e-3, 1.0, 100.0]
    assert calibrated(calls)[0].values == (MAX_VALUES, 10, MIN_VALUES, 1, 1)
    assert calibrated(calls, size=OUT_OF_CACHE)[0].values == (MAX_VALUES, 10, 2, 1, 1)


def test_a_value_of_a_slow_call_is_one_call_beside_mirrored_ones_of_faster_arms() -> None:
    calibration, _ = calibrated([0.25, 0.01], size=OUT_OF_CACHE)
    block = block_of(2, OUT_OF_CACHE)
    assert (calibration.single, calibration.slices) == ((0,), 2)
    assert [calibration.calls(arm) for arm in (0, 1)] == [1, 2]
    (sweep,) = timing.sweeps(block, calibration, random.Random(1))  # noqa: S311  # not for cryptography
    assert sorted(part.arm for part in sweep.slices) == [0, 1, 1]


def test_placing_takes_no_more_than_an_arm() -> None:
    assert calibrated([1e-9, 1e-9], place=0.005)[0].values == (8, 8)
    assert calibrated([1e-9, 1e-9], place=1.0, size=OUT_OF_CACHE)[0].values == (1, 1)


def test_no_arm_gets_more_values_than_the_most() -> None:
    assert calibrated([1e-9, 1e-9], 1000.0)[0].values == (MAX_VALUES, MAX_VALUES)


@given(
    st.lists(st.floats(1e-9, 10.0), min_size=2, max_size=8),
    st.floats(1e-3, 1.0),
    st.sampled_from([IN_L2, IN_CACHE, OUT_OF_CACHE]),
    st.floats(0, 0.1),
)
def test_a_round_is_predicted_to_take_its_slices_untimed_calls_and_placements(
    calls: list[float], arm_seconds: float, size: int, place: float
) -> None:
    calibration, _ = calibrated(calls, arm_seconds, size=size, place=place)
    costs = [calibration.slices_of(arm) * (calibration.loops[arm] + 1) * call for arm, call in enumerate(calls)]
    most, few = max(calibration.values), 1 if size == OUT_OF_CACHE else MIN_VALUES
    assert calibration.round_seconds == pytest.approx(
        sum(values * cost for values, cost in zip(calibration.values, costs, strict=True))
        + max(calibration.values) * place
    )
    for values, cost in zip(calibration.values, costs, strict=True):
        assert 1 <= values <= MAX_VALUES
        allowed = STRETCH if values == most else 1
        assert values <= few or values * cost <= allowed * arm_seconds * (1 + 1e-9)
    ranked = sorted(zip(costs, calibration.values, strict=True))
    assert all(slower[1] <= faster[1] for faster, slower in pairwise(ranked))


@dataclass
class Steady:
    """A worker whose calls take so many seconds, and whose placements move a clock by so many in turn."""

    call: float
    placements: Iterator[float]
    now: float = 0.0

    def ask(self, request: Time) -> Timed:
        """Answer with the seconds of all slices."""
        slices = request.sweeps[0].slices
        self.now += 0.0 if slices else len(request.sweeps) * next(self.placements)
        seconds = tuple(part.calls * self.call for part in slices)
        return Timed((seconds,), ((1.0,) * len(seconds),))

    def close(self) -> None:
        """End."""


def test_a_placement_that_waits_for_another_process_does_not_count() -> None:
    def values(*placements: float) -> tuple[int, ...]:
        worker = Steady(1e-6, iter(placements))
        block = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, IN_CACHE, (Arm(Variant("cached"), "numpy"),))
        return timing.calibrated(cast("Worker", worker), block, 0.04, lambda: worker.now).values

    assert values(0.02, 0.004, 0.01) == values(0.004, 0.004, 0.004) == (10, 10)
    assert values(0.2) == (1, 1), "one that takes so long is not repeated"
