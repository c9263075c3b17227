from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from actbench.analysis.sequential import fewest_rounds, median_interval, sequential_p_value, wealth


@pytest.mark.parametrize(("rounds", "above"), [(1, 0), (1, 1), (8, 8), (15, 13), (40, 25)])
def test_wealth_is_the_average_over_all_stakes(rounds: int, above: int) -> None:
    integral = 2 * mp.quad(lambda p: (2 * p) ** above * (2 - 2 * p) ** (rounds - above), [0.5, 1])
    assert float(wealth(rounds, above)) == pytest.approx(float(integral))


@given(st.integers(0, 60), st.data())
def test_who_bets_on_a_fair_coin_expects_to_gain_nothing(rounds: int, data: st.DataObject) -> None:
    above = data.draw(st.integers(0, rounds))
    assert (wealth(rounds + 1, above) + wealth(rounds + 1, above + 1)) / 2 == wealth(rounds, above)


def test_wealth_grows_with_every_round_above() -> None:
    assert all(wealth(20, above) < wealth(20, above + 1) for above in range(20))


def test_an_interval_needs_eight_rounds_and_then_spans_them_all() -> None:
    _, low, high = median_interval(range(7))
    assert np.isnan([low, high]).all()
    assert median_interval(range(8)) == (3.5, 0.0, 7.0)
    assert fewest_rounds(0.025) == 8


def test_one_process_in_ten_that_is_far_off_does_not_move_the_interval() -> None:
    rounds = [0.01 * number for number in range(18)] + [5.0, 5.0]
    assert median_interval(rounds)[2] < 0.2


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=40))
def test_the_interval_is_what_the_bets_do_not_refute(rounds: list[float]) -> None:
    centre, low, high = median_interval(rounds)
    assert low <= centre <= high
    below = sum(value < low for value in rounds)
    assert below < wealth_refutes(len(rounds))


def wealth_refutes(rounds: int) -> int:
    return next(above for above in range(rounds + 1) if wealth(rounds, above) >= 40)


def test_all_intervals_of_a_check_together_miss_the_median_less_often_than_one_in_twenty() -> None:
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(400):
        slow = rng.random(60) < 0.04
        rounds = rng.normal(scale=0.01, size=60) + np.where(slow, 0.4, 0.0)
        median = 0.01 * 0.0523  # of the mixture: the quantile 1/2 / 0.96 of the normal part
        looks = (median_interval(rounds[:count]) for count in range(8, 61))
        missed += any(low > median or high < median for _, low, high in looks)
    assert missed / 400 < 0.05


def test_the_chance_of_a_false_call_holds_however_often_one_looks() -> None:
    rng = np.random.default_rng(6)
    called = sum(sequential_p_value(rng.normal(size=60), 0.0) <= 0.05 for _ in range(500))
    assert called / 500 < 0.05


def test_the_chance_is_that_of_the_strongest_look() -> None:
    strong, weakened = [1.0] * 10, [1.0] * 10 + [-1.0] * 10
    assert sequential_p_value(strong, 0.0) == sequential_p_value(weakened, 0.0) == float(1 / Fraction(2047, 11))
    assert sequential_p_value([-1.0] * 10, 0.0) == 1.0
    assert sequential_p_value([], 0.0) == 1.0


def test_ties_count_for_the_hypothesis() -> None:
    assert sequential_p_value([0.0] * 20, 0.0) == 1.0


@pytest.mark.parametrize(("chance", "rounds"), [(0.05, 7), (0.05 / 20, 12), (0.05 / 100, 14)])
def test_the_fewest_rounds_for_a_call_grow_slowly_with_the_number_of_cases(chance: float, rounds: int) -> None:
    assert fewest_rounds(chance) == rounds
    assert sequential_p_value([1.0] * rounds, 0.0) <= chance < sequential_p_value([1.0] * (rounds - 1), 0.0)
