from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench.measure.schedule import MAX_LOOPS, MAX_VALUES, SLICE_SECONDS, SLICES, calibrate, double_until, order

ARMS = st.lists(st.integers(0, 100), min_size=1, max_size=12, unique=True)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # an order, not a secret


@given(ARMS, st.sampled_from([2, 4, 8]), st.integers())
def test_every_pair_of_passes_is_mirrored(arms: list[int], slices: int, seed: int) -> None:
    sequence = order(arms, slices, seeded(seed))
    pair = 2 * len(arms)
    for start in range(0, len(sequence), pair):
        there_and_back = sequence[start : start + pair]
        assert there_and_back == there_and_back[::-1]


@given(ARMS, st.sampled_from([2, 4, 8]), st.integers())
def test_every_arm_is_timed_equally_often(arms: list[int], slices: int, seed: int) -> None:
    assert Counter(order(arms, slices, seeded(seed))) == dict.fromkeys(arms, slices)


def test_the_order_changes_from_value_to_value_and_from_pair_to_pair() -> None:
    rng = seeded(1)
    arms = list(range(6))
    assert len({tuple(order(arms, 2, rng)) for _ in range(20)}) > 10
    long = order(arms, 8, rng)
    assert len({tuple(long[start : start + 6]) for start in range(0, len(long), 12)}) > 1


def test_the_order_follows_from_the_seed_and_leaves_the_arms_alone() -> None:
    arms = list(range(6))
    assert order(arms, 4, seeded(7)) == order(arms, 4, seeded(7))
    assert arms == list(range(6))


def test_slices_can_be_mirrored() -> None:
    assert SLICES % 2 == 0


@pytest.mark.parametrize(
    ("call", "loops"),
    [(1.0, 1), (5e-4, 1), (4.9e-4, 2), (2.5e-4, 2), (1e-4, 8), (1e-6, 512), (1e-9, 524288)],
)
def test_loops_are_doubled_until_they_take_long_enough(call: float, loops: int) -> None:
    asked: list[int] = []

    def timer(count: int) -> float:
        asked.append(count)
        return count * call

    found, seconds = double_until(timer, 5e-4)
    assert found == loops
    assert seconds == pytest.approx(call)
    assert asked == [2**power for power in range(len(asked))], "each number of loops is tried once, doubling"
    assert asked[-1] == loops


def test_seconds_per_call_are_those_of_the_last_and_longest_try() -> None:
    taken = iter([0.4, 0.6, 1.2])  # the first calls are slow
    assert double_until(lambda _: next(taken), 1.0) == (4, 0.3)


def test_doubling_ends_even_where_nothing_takes_time() -> None:
    assert double_until(lambda _: 0.0, 1.0) == (MAX_LOOPS, 0.0)


def test_loops_of_every_arm_are_found_by_its_own_calls() -> None:
    calls = [1e-6, 1e-3, 1e-5]
    found = calibrate(lambda arm, loops: calls[arm] * loops, len(calls), 0.04)
    assert found.loops == tuple(double_until(lambda loops, call=call: call * loops, SLICE_SECONDS)[0] for call in calls)  # type: ignore[misc]
    assert found.slices == SLICES
    for arm, call in enumerate(calls):
        assert found.loops[arm] * call >= SLICE_SECONDS
        assert found.calls(arm) == found.loops[arm] * SLICES


def test_arms_get_as_many_values_as_fit_into_their_time() -> None:
    found = calibrate(lambda arm, loops: [1e-3, 4e-3][arm] * loops, 2, 0.04)
    assert found.loops == (1, 1)
    assert found.values == (10, 2), "a slice is one untimed call and one timed"


def test_slow_arms_get_fewer_values_but_at_least_one() -> None:
    found = calibrate(lambda arm, loops: [1e-9, 1e-3, 1e-2, 1.0, 100.0][arm] * loops, 5, 0.04)
    assert found.values == tuple(sorted(found.values, reverse=True))
    assert found.values[-2:] == (1, 1)
    assert found.values[0] > found.values[2] >= 1


def test_no_arm_gets_more_values_than_the_most() -> None:
    assert calibrate(lambda _, loops: 1e-9 * loops, 1, 1000.0).values == (MAX_VALUES,)


@given(st.lists(st.floats(1e-9, 10.0), min_size=1, max_size=8), st.floats(1e-3, 1.0))
def test_a_round_is_predicted_to_take_its_slices_and_the_untimed_calls_before_them(
    calls: list[float], arm_seconds: float
) -> None:
    found = calibrate(lambda arm, loops: calls[arm] * loops, len(calls), arm_seconds)
    cost = sum(
        values * SLICES * (loops + 1) * call
        for values, loops, call in zip(found.values, found.loops, calls, strict=True)
    )
    assert found.round_seconds == pytest.approx(cost)
    for values, loops, call in zip(found.values, found.loops, calls, strict=True):
        assert values == 1 or values * SLICES * (loops + 1) * call <= arm_seconds * (1 + 1e-9)
