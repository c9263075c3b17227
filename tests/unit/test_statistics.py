"""What is estimated from rounds, how sure that is, and how many of several findings may be false."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbench.analysis.statistics import (
    CONFIDENCE,
    MIN_ROUNDS,
    false_discovery_control,
    hodges_lehmann,
    hodges_lehmann_rows,
    holm,
    mad_standard_deviation,
)

SIGNED_RANKS = {6: 1, 7: 3, 8: 4, 9: 6, 10: 9, 11: 11, 12: 14, 15: 26, 20: 53}
"""Textbook: by rounds, the rank of the lower 95 % bound among the sorted averages of pairs."""

FINITE = st.floats(-1e6, 1e6)
ROUNDS = st.lists(FINITE, min_size=MIN_ROUNDS, max_size=25)


def walsh_averages(samples: list[float]) -> list[float]:
    return sorted((samples[i] + samples[j]) / 2 for i in range(len(samples)) for j in range(i, len(samples)))


@given(st.lists(FINITE, min_size=1, max_size=25))
def test_the_estimate_is_the_median_of_the_averages_of_all_pairs(samples: list[float]) -> None:
    averages = walsh_averages(samples)
    middle = len(averages) // 2
    median = averages[middle] if len(averages) % 2 else (averages[middle - 1] + averages[middle]) / 2
    assert hodges_lehmann(samples)[0] == pytest.approx(median, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(("rounds", "rank"), SIGNED_RANKS.items())
def test_the_interval_ends_at_the_signed_rank_order_statistics(rounds: int, rank: int) -> None:
    samples = np.random.default_rng(rounds).standard_normal(rounds).tolist()
    averages = walsh_averages(samples)
    assert hodges_lehmann(samples)[1:] == (averages[rank - 1], averages[-rank])


@pytest.mark.parametrize("rounds", range(6, 13))
def test_the_rank_is_the_largest_that_holds_95_percent_by_counting_all_signs(rounds: int) -> None:
    samples = np.random.default_rng(rounds).standard_normal(rounds).tolist()
    rank = walsh_averages(samples).index(hodges_lehmann(samples)[1]) + 1
    ranks = np.arange(1, rounds + 1)
    statistics = np.array([np.dot(ranks, included) for included in product((0, 1), repeat=rounds)])

    def held(candidate: int) -> float:
        return 1 - 2 * float(np.mean(statistics < candidate))

    assert held(rank) >= CONFIDENCE > held(rank + 1)


@pytest.mark.parametrize("rounds", range(1, 6))
def test_fewer_than_six_rounds_give_an_estimate_but_no_interval(rounds: int) -> None:
    estimate, low, high = hodges_lehmann([float(value) for value in range(rounds)])
    assert estimate == (rounds - 1) / 2
    assert np.isnan([low, high]).all()


def test_six_rounds_are_the_fewest_that_hold_95_percent() -> None:
    assert MIN_ROUNDS == 6
    assert 1 - 2 * 0.5**5 < CONFIDENCE <= 1 - 2 * 0.5**6


@pytest.mark.parametrize("rounds", [6, 8, 12, 20])
@pytest.mark.parametrize("noise", ["normal", "laplace", "contaminated"])
def test_the_interval_covers_the_truth_at_least_93_percent_of_the_time(rounds: int, noise: str) -> None:
    rng = np.random.default_rng(20)
    shape = (4000, rounds)
    match noise:
        case "normal":
            noisy = rng.standard_normal(shape)
        case "laplace":
            noisy = rng.laplace(size=shape)
        case _:  # one process in twenty is 40 % slower throughout
            noisy = 0.01 * rng.standard_normal(shape) + np.log(1.4) * (rng.random(shape) < 0.05)
    _, low, high = hodges_lehmann_rows([noisy]).T
    assert np.mean((low <= 0) & (high >= 0)) >= 0.93


@pytest.mark.parametrize("rounds", [6, 7, 10, 20, 40])
@pytest.mark.parametrize("wild", [1e3, -1e3, 1e300])
def test_one_wild_round_moves_the_estimate_no_further_than_the_others_reach(rounds: int, wild: float) -> None:
    tame = np.random.default_rng(rounds).standard_normal(rounds).tolist()
    estimate, *_ = hodges_lehmann([*tame[1:], wild])
    assert min(tame[1:]) <= estimate <= max(tame[1:])


@pytest.mark.parametrize("rounds", [12, 15, 20, 40])
@pytest.mark.parametrize("wild", [1e3, -1e3])
def test_from_twelve_rounds_on_one_wild_round_leaves_the_interval_among_the_others(rounds: int, wild: float) -> None:
    tame = np.random.default_rng(rounds).standard_normal(rounds).tolist()
    estimate, low, high = hodges_lehmann([*tame[1:], wild])
    assert min(tame[1:]) <= low < estimate < high <= max(tame[1:])


@given(ROUNDS)
def test_the_interval_holds_the_estimate(samples: list[float]) -> None:
    estimate, low, high = hodges_lehmann(samples)
    assert min(samples) <= low <= estimate <= high <= max(samples)


@given(ROUNDS, FINITE)
def test_a_shift_of_all_rounds_shifts_the_result(samples: list[float], shift: float) -> None:
    shifted = hodges_lehmann([value + shift for value in samples])
    assert shifted == pytest.approx([value + shift for value in hodges_lehmann(samples)], abs=1e-8)


@given(ROUNDS)
def test_the_mirror_image_has_the_mirrored_interval(samples: list[float]) -> None:
    estimate, low, high = hodges_lehmann(samples)
    assert hodges_lehmann([-value for value in samples]) == (-estimate, -high, -low)


@given(st.data(), ROUNDS)
def test_the_order_of_rounds_does_not_matter(data: st.DataObject, samples: list[float]) -> None:
    assert hodges_lehmann(data.draw(st.permutations(samples))) == hodges_lehmann(samples)


@given(ROUNDS, st.integers(-20, 20))
def test_a_change_of_unit_changes_the_result_alike(samples: list[float], power: int) -> None:
    scaled = hodges_lehmann([value * 2.0**power for value in samples])
    assert scaled == pytest.approx([value * 2.0**power for value in hodges_lehmann(samples)], rel=1e-12, abs=1e-300)


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 1000))
def test_many_series_at_once_are_as_good_as_one_by_one(series: int, rounds: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((series, rounds))
    together = hodges_lehmann_rows([samples])
    np.testing.assert_array_equal(together, [hodges_lehmann(sample.tolist()) for sample in samples])


def test_the_mad_standard_deviation_is_the_standard_deviation_and_one_wild_round_does_not_change_it_much() -> None:
    rng = np.random.default_rng(5)
    samples = rng.normal(3.0, 0.5, size=1001)
    assert mad_standard_deviation(samples) == pytest.approx(0.5, rel=0.1)
    assert mad_standard_deviation([*samples, 1e9]) == pytest.approx(0.5, rel=0.1)
    assert mad_standard_deviation([1.0, 1.0, 1.0, 9.0]) == 0.0


# Benjamini and Hochberg

PAPER = (
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000),
)
"""The fifteen p-values of their paper, of the thrombolysis study by Neuhaus et al."""


def test_false_discovery_control_rejects_four_in_the_paper_s_example_where_holm_rejects_three() -> None:
    adjusted = false_discovery_control(PAPER)
    assert np.count_nonzero(adjusted <= 0.05) == 4
    assert np.count_nonzero(holm(PAPER) <= 0.05) == 3
    assert adjusted[:5].tolist() == pytest.approx([0.0015, 0.003, 0.0095, 0.035625, 0.0603])


def test_false_discovery_control_keeps_the_order_given_and_takes_the_least_of_what_follows() -> None:
    assert false_discovery_control([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert false_discovery_control([0.9, 1.0]).tolist() == [1.0, 1.0]
    assert false_discovery_control([]).tolist() == []


def test_false_discovery_control_corrects_each_row_for_its_own_hypotheses_and_nan_is_none() -> None:
    rows = [[0.04, np.nan, 0.01, 0.03], [np.nan, 0.02, np.nan, 0.02], [np.nan] * 4]
    expected = [[0.04, np.nan, 0.03, 0.04], [np.nan, 0.02, np.nan, 0.02], [np.nan] * 4]
    np.testing.assert_allclose(false_discovery_control(rows), expected)


def test_samples_with_different_numbers_of_rounds_are_estimated_together_as_they_are_alone() -> None:
    rng = np.random.default_rng(5)
    block, single = rng.normal(size=(3, 7)), rng.normal(size=9)
    together = hodges_lehmann_rows([block, single, rng.normal(size=(0, 6))])
    alone = [hodges_lehmann(sample) for sample in (*block, single)]
    np.testing.assert_array_equal(together, alone)
    assert hodges_lehmann_rows([]).size == 0


def test_false_discovery_control_keeps_the_share_of_false_discoveries() -> None:
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(500):
        chances = np.concatenate([rng.uniform(size=30), rng.uniform(0, 1e-3, size=20)])
        rejected = false_discovery_control(chances) <= 0.05
        shares.append(rejected[:30].sum() / max(1, int(rejected.sum())))
    assert np.mean(shares) < 0.05
