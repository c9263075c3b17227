"""What is concluded from the rounds of two runs: rounds are the unit, and few findings are false."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis.between_runs import Between, Contrast, between
from actbench.analysis.statistics import hodges_lehmann_shift
from actbench.analysis.within_run import Axis
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.model.variants import Variant

ARMS = (Arm(Variant("recompute"), "numpy"), Arm(Variant("cached"), "numpy"))
BLOCKS = tuple(Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, size, ARMS) for size in (1000, 2000))


def measured(
    *,
    rounds: tuple[int, ...] = (8, 8),
    factor: float = 1.0,
    yardstick: float = 1.0,
    scatter: float = 0.01,
    seed: int = 0,
    blocks: int = 2,
) -> Times:
    """Return rounds, so many of each block, in which `cached` and the yardstick take so many times as long."""
    rng = np.random.default_rng(seed)
    chosen = BLOCKS[:blocks]
    finished = []
    for block, count in zip(chosen, rounds, strict=False):
        for number in range(1, count + 1):
            noise = np.exp(rng.normal(0, scatter, size=3))
            finished.append(
                BlockTimes(block, number, ((4 * noise[0],), (factor * noise[1],), (0.5 * yardstick * noise[2],)))
            )
    return Times(Plan(chosen, seed=1), finished)


def group(comparison: Between, name: str) -> Contrast:
    (contrast,) = (item for item in comparison.times if item.name == name)
    return contrast


def test_a_group_counts_the_rounds_in_which_all_of_it_was_measured() -> None:
    comparison = between(measured(rounds=(9, 6)), measured(rounds=(7, 12), seed=1), Axis.STRATEGY, one_host=True)
    assert (group(comparison, "cached").baseline_rounds, group(comparison, "cached").candidate_rounds) == (6, 7)


def test_a_group_s_interval_is_that_of_one_geometric_mean_a_round() -> None:
    runs = measured(seed=1), measured(seed=2, factor=0.9)
    means = [
        np.mean([np.log(run.seconds(block)[:, -1, 0] / run.seconds(block)[:, 1, 0]) for block in BLOCKS], axis=0)
        for run in runs
    ]
    assert group(between(*runs, Axis.STRATEGY, one_host=True), "cached").ratio == pytest.approx(
        np.exp(hodges_lehmann_shift(*means))
    )


def test_a_group_with_too_few_common_rounds_has_no_interval() -> None:
    few = measured(rounds=(12, 3)), measured(rounds=(12, 3), factor=0.5)
    comparison = between(*few, Axis.STRATEGY, one_host=True)
    assert group(comparison, "cached").ratio.value == pytest.approx(2.0, rel=0.05)
    assert np.isnan(group(comparison, "cached").ratio.low)
    assert group(comparison, "cached").finding == "undecided"
    assert group(between(*few, Axis.SIZE, one_host=True), "1000").finding == "faster"


def test_a_group_without_a_common_round_has_no_figure() -> None:
    apart = Times(Plan(BLOCKS, seed=1), [BlockTimes(b, n, ((4.0,), (1.0,), (0.5,))) for n, b in enumerate(BLOCKS, 1)])
    contrast = group(between(apart, measured(), Axis.STRATEGY, one_host=True), "cached")
    assert np.isnan(contrast.ratio).all()
    assert (contrast.finding, contrast.baseline_rounds) == ("undecided", 0)


def test_the_interval_of_a_ratio_covers_the_truth() -> None:
    hits = 0
    for seed in range(150):
        runs = measured(scatter=0.05, seed=seed), measured(scatter=0.05, factor=0.9, seed=seed + 1000)
        ratio = group(between(*runs, Axis.STRATEGY, one_host=True), "cached").ratio
        hits += ratio.low <= 1 / 0.9 <= ratio.high
    assert hits / 150 > 0.92


@pytest.mark.parametrize("yardstick", [1.0, 1.05])
def test_identical_runs_are_seldom_called_different_even_where_the_yardstick_moved(yardstick: float) -> None:
    wrong = 0
    for seed in range(150):
        comparison = between(measured(seed=seed), measured(seed=seed + 1000, yardstick=yardstick), one_host=True)
        wrong += any(contrast.finding != "undecided" for contrast in comparison.times if contrast.by == "case")
    assert wrong / 150 < 0.08
