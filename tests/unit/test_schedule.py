from __future__ import annotations

import random
from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench.engine.protocol import Slice, Sweep
from actbench.engine.schedule import order, turns
from actbench.engine.timing import slow_down, sweeps
from actbench.kernels.placement import PHASES
from actbench.model.calibration import Calibration
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant

DERIVATIVES = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 1000, (Arm(Variant("recompute"), "numpy"),))
ARMS = st.lists(st.integers(0, 100), min_size=1, max_size=12, unique=True)
SLICES = st.sampled_from([2, 4, 8])


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # an order, not a secret


@given(ARMS, SLICES, st.integers())
def test_every_pair_of_passes_is_mirrored(arms: list[int], slices: int, seed: int) -> None:
    sequence = [arm for arm, _ in order(arms, slices, seeded(seed))]
    pair = 2 * len(arms)
    for start in range(0, len(sequence), pair):
        there_and_back = sequence[start : start + pair]
        assert there_and_back == there_and_back[::-1]


@given(ARMS, SLICES, st.integers())
def test_every_arm_is_timed_equally_often(arms: list[int], slices: int, seed: int) -> None:
    assert Counter(arm for arm, _ in order(arms, slices, seeded(seed))) == dict.fromkeys(arms, slices)


@given(ARMS, SLICES, st.integers())
def test_an_arm_goes_through_the_phases_one_by_one(arms: list[int], slices: int, seed: int) -> None:
    sequence = order(arms, slices, seeded(seed))
    for arm in arms:
        phases = [phase for timed, phase in sequence if timed == arm]
        assert phases == [(phases[0] + step) % PHASES for step in range(slices)]


@given(st.integers())
def test_arms_begin_in_any_phase(seed: int) -> None:
    rng = seeded(seed)
    firsts = Counter(order([0], 2, rng)[0][1] for _ in range(400))
    assert set(firsts) == set(range(PHASES))


@given(ARMS, SLICES, st.integers())
def test_arms_of_one_library_come_one_after_the_other(arms: list[int], slices: int, seed: int) -> None:
    libraries = ["numpy" if arm % 3 else "torch" for arm in range(101)]
    sequence = [arm for arm, _ in order(arms, slices, seeded(seed), libraries)]
    assert Counter(sequence) == dict.fromkeys(arms, slices)
    for start in range(0, len(sequence), len(arms)):
        once = [libraries[arm] for arm in sequence[start : start + len(arms)]]
        assert sum(one != other for one, other in pairwise(once)) == len({*once}) - 1


def test_the_order_changes_from_value_to_value_and_from_pair_to_pair() -> None:
    rng = seeded(1)
    arms = list(range(6))
    assert len({tuple(order(arms, 2, rng)) for _ in range(20)}) > 10
    long = [arm for arm, _ in order(arms, 8, rng)]
    assert len({tuple(long[start : start + 6]) for start in range(0, len(long), 12)}) > 1


def test_the_order_follows_from_the_seed_and_leaves_the_arms_alone() -> None:
    arms = list(range(6))
    assert order(arms, 4, seeded(7)) == order(arms, 4, seeded(7))
    assert arms == list(range(6))


@pytest.mark.parametrize("slices", [2, 4])
def test_every_phase_is_taken_equally_often_over_many_values(slices: int) -> None:
    rng = seeded(3)
    phases = Counter(phase for _ in range(2000) for _, phase in order([0, 1], slices, rng))
    assert max(phases.values()) < 1.2 * min(phases.values())


def test_sides_take_their_turns_in_shuffled_and_mirrored_order() -> None:
    firsts = list(islice(turns(3, seeded(5)), 200))
    assert all(first == second[::-1] for first, second in zip(firsts[::2], firsts[1::2], strict=True))
    assert len({*firsts[::2]}) == 6


@pytest.mark.parametrize(("values", "moves"), [((1,), 1), ((8, 2), 1), ((9, 2), 2), ((25, 25), 4), ((128, 3), 4)])
def test_a_round_moves_the_code_before_its_first_value_and_a_few_times_more(
    values: tuple[int, ...], moves: int
) -> None:
    calibration = Calibration(loops=(1,) * len(values), values=values, slices=2, round_seconds=0.0)
    planned = list(sweeps(DERIVATIVES, calibration, seeded(1)))
    assert len(planned) == max(values)
    assert planned[0].move
    assert sum(sweep.move for sweep in planned) == moves


def test_a_slowdown_is_so_many_more_calls_to_the_nearest_whole_one() -> None:
    sweep = Sweep(1, (Slice(0, 100, 2), Slice(1, 3, 0)))
    assert slow_down(sweep, 0.05) == Sweep(1, (Slice(0, 105, 2), Slice(1, 3, 0)))
    assert slow_down(sweep, 0.0) == sweep
