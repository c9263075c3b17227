"""The tests of rounds, which are those of scipy where both are exact, and the corrections for several of them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from actbench.analysis import statistics
from actbench.analysis.statistics import (
    MIN_ROUNDS,
    false_discovery_control,
    hodges_lehmann,
    hodges_lehmann_shift,
    holm,
    mann_whitney_p_value,
    signed_rank_p_value,
    wilson_interval,
)

SIZES = [(1, 6), (2, 5), (3, 3), (4, 9), (6, 6), (8, 11), (15, 12)]


@pytest.mark.parametrize("rounds", range(1, 26))
def test_the_signed_rank_p_value_is_that_of_scipy(rounds: int) -> None:
    for seed in range(5):
        samples = np.random.default_rng(seed).normal(0.2 * seed, 1.0, rounds)
        expected = scipy.stats.wilcoxon(samples, alternative="greater", method="exact").pvalue
        assert signed_rank_p_value(samples) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("samples", [[1, 2, 2, 3, -1, 4], [0, 0, 1, 2, 3, 4, 5], [1, 1, 1, -1, -1, 2, 3, 3]])
def test_ties_and_zeros_make_the_signed_rank_p_value_no_smaller_than_counting_all_signs(samples: list[float]) -> None:
    """Scipy has no exact distribution for these: it counts the signs of the midranks, and takes zeros out."""
    permuted = scipy.stats.wilcoxon(samples, alternative="greater", method=scipy.stats.PermutationMethod()).pvalue
    assert signed_rank_p_value(samples) >= permuted - 1e-12


@pytest.mark.parametrize("rounds", range(MIN_ROUNDS, 20))
def test_the_interval_excludes_exactly_what_scipy_s_two_sided_test_rejects(rounds: int) -> None:
    samples = np.random.default_rng(rounds).standard_normal(rounds)
    _, low, high = hodges_lehmann(samples)
    for bound in (low, high):
        rejected = [
            scipy.stats.wilcoxon(samples - (bound + step), method="exact").pvalue <= 0.05 for step in (-1e-9, 1e-9)
        ]
        assert rejected == ([True, False] if bound == low else [False, True])


@pytest.mark.parametrize("margin", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize(("first", "second"), SIZES)
def test_the_mann_whitney_p_value_is_that_of_scipy(first: int, second: int, margin: float) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        before, after = rng.normal(size=first), rng.normal(0.3 * seed, size=second)
        expected = scipy.stats.mannwhitneyu(after - margin, before, alternative="greater", method="exact").pvalue
        assert mann_whitney_p_value(before, after, margin) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.35, 0.5])
def test_the_mann_whitney_test_of_many_rounds_is_scipy_s_normal_approximation(shift: float) -> None:
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=1000), rng.normal(shift, size=900)
    expected = scipy.stats.mannwhitneyu(after, before, alternative="greater", method="asymptotic").pvalue
    assert mann_whitney_p_value(before, after, 0.0) == pytest.approx(expected, rel=1e-9)
    _, low, _ = hodges_lehmann_shift(before, after)
    assert mann_whitney_p_value(before, after, low - 1e-9) <= 0.025 < mann_whitney_p_value(before, after, low + 1e-9)


def test_where_the_mann_whitney_test_ceases_to_be_exact_its_p_values_hardly_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of samples of 60, for which the approximation is worse than where it is used."""
    before = np.arange(60.0)
    p_values = []
    for most in (statistics.MOST_COUNTED, 0):
        monkeypatch.setattr(statistics, "MOST_COUNTED", most)
        p_values.append([mann_whitney_p_value(before, before + shift, 0.5) for shift in (1, 5, 10, 14)])
    exact, approximate = np.array(p_values)
    assert exact[-1] < 0.01
    np.testing.assert_allclose(approximate[exact >= 0.01], exact[exact >= 0.01], rtol=0.02)
    assert (approximate >= exact)[exact < 0.01].all()


@pytest.mark.parametrize(("before", "after"), [([1, 2, 2, 3], [2, 3, 4, 4, 5]), ([1, 1, 1], [1, 1, 2, 3, 3, 3])])
def test_ties_make_the_mann_whitney_p_value_no_smaller_than_permuting(before: list[float], after: list[float]) -> None:
    permuted = scipy.stats.mannwhitneyu(
        after, before, alternative="greater", method=scipy.stats.PermutationMethod()
    ).pvalue
    assert mann_whitney_p_value(before, after, 0.0) >= permuted - 1e-12


@pytest.mark.parametrize(("first", "second"), [(3, 9), (6, 6), (8, 11), (15, 12)])
def test_the_interval_of_a_shift_excludes_exactly_what_scipy_s_two_sided_test_rejects(first: int, second: int) -> None:
    rng = np.random.default_rng(first)
    before, after = rng.normal(size=first), rng.normal(0.5, size=second)
    _, low, high = hodges_lehmann_shift(before, after)
    for bound in (low, high):
        rejected = [
            scipy.stats.mannwhitneyu(after - (bound + step), before, method="exact").pvalue <= 0.05
            for step in (-1e-9, 1e-9)
        ]
        assert rejected == ([True, False] if bound == low else [False, True])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_false_discovery_control_is_that_of_scipy(p_values: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p_values)
    np.testing.assert_allclose(false_discovery_control(p_values), expected, rtol=1e-12)


def test_holm_bounds_the_worst_p_value_by_bonferroni_and_orders_as_the_p_values_do() -> None:
    p_values = np.random.default_rng(3).uniform(size=30)
    adjusted = holm(p_values)
    assert adjusted.min() == pytest.approx(min(1.0, 30 * p_values.min()))
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1.0, 30 * p_values)).all()


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 40, 0.0, 0.0876216),
        (40, 40, 0.9123784, 1.0),
        (3, 40, 0.0258360, 0.1986423),
        (17, 1000, 0.0106407, 0.0270560),
    ],
)
def test_the_interval_of_a_share_is_wilson_s(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(hits, trials) == pytest.approx((hits / trials, low, high), abs=1e-5)
