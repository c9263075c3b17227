from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actbench.analysis.check_stored import changes
from actbench.analysis.regression import Margins, Verdict, by_severity
from actbench.analysis.statistics import hodges_lehmann_shift, holm, mann_whitney_p_value
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.model.variants import Variant
from tests.support.compared import BLOCK

SAMPLES = st.lists(st.floats(-10, 10), min_size=4, max_size=8)
MARGIN = Margins(0.05)


def measured(
    factor: float = 1.0, *, rounds: int = 8, scatter: float = 0.001, drift: float = 1.0, seed: int = 0
) -> Times:
    """Return rounds in which `cached` takes so many times as long; `drift` makes everything slower alike."""
    rng = np.random.default_rng(seed)
    finished = []
    for number in range(1, rounds + 1):
        noise = drift * np.exp(rng.normal(0, scatter, size=3))
        finished.append(BlockTimes(BLOCK, number, ((4 * noise[0],), (factor * noise[1],), (0.5 * noise[2],))))
    return Times(Plan((BLOCK,), seed=1), finished)


def verdicts(baseline: Times, run: Times, margin: Margins = MARGIN) -> dict[str, Verdict]:
    return {change.case.strategy: change.verdict for change in changes(baseline, run, margin)}


# The statistics of two samples


def counted(before: list[float], after: list[float], margin: float) -> float:
    """Return the share of all ways to deal the ranks that lie as far above as this one, or further."""
    size, observed = len(before) + len(after), sum(b - a > margin for a in before for b in after)
    ways = [sum(rank - place for place, rank in enumerate(chosen)) for chosen in combinations(range(size), len(after))]
    return sum(u >= observed for u in ways) / len(ways)


@given(SAMPLES, SAMPLES, st.floats(-1, 1))
@settings(max_examples=60)
def test_the_chance_is_that_of_counting_all_ways_to_deal_the_ranks(
    before: list[float], after: list[float], margin: float
) -> None:
    assert mann_whitney_p_value(before, after, margin) == pytest.approx(counted(before, after, margin))


def test_samples_that_are_wholly_apart_have_the_smallest_chance_there_is() -> None:
    assert mann_whitney_p_value([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], 0.0) == pytest.approx(1 / 924)
    assert mann_whitney_p_value([7, 8, 9, 10, 11, 12], [1, 2, 3, 4, 5, 6], 0.0) == 1.0


@given(SAMPLES, SAMPLES)
def test_the_shift_is_the_median_of_all_differences_and_lies_in_its_interval(
    before: list[float], after: list[float]
) -> None:
    centre, low, high = hodges_lehmann_shift(before, after)
    assert centre == pytest.approx(np.median([b - a for a in before for b in after]))
    assert low <= centre <= high


@given(SAMPLES, SAMPLES)
def test_the_shift_back_is_the_mirror_image(before: list[float], after: list[float]) -> None:
    centre, low, high = hodges_lehmann_shift(before, after)
    assert hodges_lehmann_shift(after, before) == pytest.approx((-centre, -high, -low))


@pytest.mark.parametrize(("first", "second", "exists"), [(3, 4, False), (4, 4, True), (2, 30, True), (1, 200, True)])
def test_an_interval_needs_rounds_on_both_sides(first: int, second: int, exists: bool) -> None:  # noqa: FBT001
    _, low, high = hodges_lehmann_shift(np.arange(first), np.arange(second))
    exists = exists and 2 / _ways(first, second) <= 0.05
    assert np.isfinite([low, high]).all() == exists


def _ways(first: int, second: int) -> int:
    from math import comb

    return comb(first + second, first)


def test_the_interval_ends_where_the_test_begins_to_reject() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.normal(size=9), rng.normal(1.0, size=7)
    _, low, high = hodges_lehmann_shift(before, after)
    assert mann_whitney_p_value(before, after, low - 1e-9) <= 0.025 < mann_whitney_p_value(before, after, low + 1e-9)
    assert (
        mann_whitney_p_value(after, before, -high - 1e-9) <= 0.025 < mann_whitney_p_value(after, before, -high + 1e-9)
    )


@pytest.mark.parametrize(("first", "second"), [(6, 6), (6, 20), (15, 9)])
def test_the_interval_covers_the_truth(first: int, second: int) -> None:
    rng = np.random.default_rng(first)
    hits = 0
    for _ in range(2000):
        _, low, high = hodges_lehmann_shift(rng.normal(size=first), rng.normal(0.7, size=second))
        hits += low <= 0.7 <= high
    assert hits / 2000 > 0.94


def test_holm_multiplies_by_what_is_left_and_never_decreases() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert holm([0.2]).tolist() == [0.2]


# Verdicts


def test_a_case_that_takes_longer_than_the_margin_regressed_and_the_others_did_not() -> None:
    assert verdicts(measured(), measured(1.1, seed=1)) == {"recompute": "unchanged", "cached": "regressed"}


def test_a_case_that_became_faster_improved() -> None:
    assert verdicts(measured(), measured(0.9, seed=1))["cached"] == "improved"


def test_the_change_is_the_run_s_time_over_the_baseline_s() -> None:
    (_, change) = changes(measured(scatter=0.0), measured(1.1, scatter=0.0), MARGIN)
    assert change.ratio == pytest.approx((1.1, 1.1, 1.1))


def test_a_drift_of_the_host_within_the_margin_is_no_change_of_a_case_but_is_shown() -> None:
    (_, change) = changes(measured(), measured(drift=1.04, seed=1), MARGIN)
    assert change.verdict == "unchanged"
    assert change.ratio.value == pytest.approx(1.0, abs=0.005)
    assert change.absolute is not None
    assert change.absolute.value == pytest.approx(1.04, abs=0.005)


@pytest.mark.parametrize(("factor", "relative"), [(1.0, "unchanged"), (0.97, "not slower"), (0.9, "improved")])
def test_a_case_whose_own_time_is_wholly_above_the_margin_does_not_pass(factor: float, relative: str) -> None:
    run = measured(factor, drift=1.3, scatter=0.01, seed=1)
    margin = Margins(0.05) if relative == "improved" else Margins(0.02)
    assert verdicts(measured(scatter=0.01), measured(factor, scatter=0.01, seed=1), margin)["cached"] == relative
    (_, cached) = changes(measured(scatter=0.01), run, margin)
    assert (cached.verdict, cached.open_reason) == ("inconclusive", "yardstick")
    assert cached.slower_in_itself


def test_a_case_whose_own_time_is_wholly_below_the_margin_is_not_called_unchanged() -> None:
    assert verdicts(measured(), measured(drift=0.8, seed=1))["cached"] == "not slower"


@pytest.mark.parametrize("factor", [0.97, 1.0, 1.03])
def test_a_change_inside_the_margin_is_none(factor: float) -> None:
    assert verdicts(measured(), measured(factor, seed=1))["cached"] == "unchanged"
    assert verdicts(measured(), measured(factor, seed=1), Margins(0.01))["cached"] != "unchanged" or factor == 1.0


def test_a_case_can_have_a_margin_of_its_own_and_the_first_that_matches_counts() -> None:
    margins = Margins(0.05, (("*/cached/*", 0.2), ("*", 0.01)))
    assert verdicts(measured(), measured(1.1, seed=1), margins) == {"recompute": "unchanged", "cached": "unchanged"}
    (recompute, cached) = changes(measured(), measured(1.1, seed=1), margins)
    assert (recompute.margin, cached.margin) == (0.01, 0.2)


def test_an_interval_across_the_margin_decides_nothing() -> None:
    assert verdicts(measured(scatter=0.05), measured(1.05, scatter=0.05, seed=1))["cached"] == "inconclusive"


def test_too_few_rounds_decide_nothing() -> None:
    assert verdicts(measured(rounds=3), measured(2.0, rounds=3, seed=1))["cached"] == "inconclusive"


def test_different_numbers_of_rounds_are_compared() -> None:
    assert verdicts(measured(rounds=6), measured(1.1, rounds=17, seed=1))["cached"] == "regressed"


def test_many_cases_ask_for_more_evidence_than_one() -> None:
    blocks = tuple(Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, size, BLOCK.arms) for size in range(1, 101))

    def run(factor: float) -> Times:
        rng = np.random.default_rng(7)
        times = Times(Plan(blocks, seed=1))
        for block in blocks:
            slow = factor if block.size == 1 else 1.0
            for number in range(1, 7):
                noise = np.exp(rng.normal(0, 0.001, size=3))
                times.add(BlockTimes(block, number, ((4 * noise[0],), (slow * noise[1],), (noise[2],))))
        return times

    alone = Times(
        Plan(blocks[:1], seed=1), [block_times for block_times in run(1.2).finished() if block_times.block == blocks[0]]
    )
    reference = Times(
        Plan(blocks[:1], seed=1), [block_times for block_times in run(1.0).finished() if block_times.block == blocks[0]]
    )
    assert verdicts(reference, alone)["cached"] == "regressed"
    by_case = {change.case.id: change for change in changes(run(1.0), run(1.2), MARGIN)}
    suspect = by_case["logistic/cached/numpy/derivative/float64/1"]
    assert suspect.ratio.low > 1 + MARGIN.default
    assert suspect.verdict == "inconclusive", "six rounds against six cannot say more than 1 in 924"


def test_cases_that_only_one_of_the_runs_has_are_reported() -> None:
    other = Block("tanh", Op.DERIVATIVE, Dtype.FLOAT64, 1000, (Arm(Variant("cached"), "numpy"),))
    extra = Times(Plan((other,), seed=1), [BlockTimes(other, 1, ((1.0,), (1.0,)))])
    assert [change.verdict for change in changes(extra, measured(), MARGIN)] == ["missing", "new", "new"]


def test_the_most_severe_comes_first_and_the_largest_of_a_kind() -> None:
    judged = changes(measured(), measured(1.1, seed=1), MARGIN)
    assert [change.verdict for change in by_severity(judged)] == ["regressed", "unchanged"]


def test_what_has_no_change_is_ordered_by_name() -> None:
    other = Block(
        "tanh",
        Op.DERIVATIVE,
        Dtype.FLOAT64,
        1000,
        (Arm(Variant("recompute"), "numpy"), Arm(Variant("cached"), "numpy")),
    )
    extra = Times(Plan((other,), seed=1), [BlockTimes(other, 1, ((1.0,), (1.0,), (1.0,)))])
    judged = by_severity(changes(extra, measured(), MARGIN))
    assert [change.case.id for change in judged] == [
        f"{activation}/{strategy}/numpy/derivative/float64/1000"
        for activation in ("tanh", "logistic")
        for strategy in ("cached", "recompute")
    ]


@pytest.mark.parametrize("scatter", [0.005, 0.05])
def test_identical_runs_are_not_called_different(scatter: float) -> None:
    wrong = 0
    for seed in range(300):
        judged = changes(measured(scatter=scatter, seed=seed), measured(scatter=scatter, seed=seed + 1000), MARGIN)
        wrong += any(change.verdict in {Verdict.REGRESSED, Verdict.IMPROVED} for change in judged)
    assert wrong <= 0.01 * 300


def test_at_the_margin_itself_a_regression_is_called_no_more_often_than_agreed() -> None:
    calls = 0
    for seed in range(400):
        run = measured(1 + MARGIN.default, scatter=0.02, seed=seed + 1000)
        calls += verdicts(measured(scatter=0.02, seed=seed), run)["cached"] == Verdict.REGRESSED
    assert calls / 400 < 0.05
