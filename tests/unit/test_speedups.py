from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbench.analysis import speedups
from actbench.analysis.speedups import KnownSpeedups, log_ratios, pairs
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.model.variants import Variant

ARMS = (Arm(Variant("recompute"), "numpy"), Arm(Variant("cached"), "numpy"), Arm(Variant("cached"), "numba"))
BLOCK = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 1000, ARMS)
SECONDS = st.floats(1e-9, 1.0)


def measured(*rounds: tuple[tuple[float, ...], ...]) -> Times:
    """Return rounds of the block; the yardstick always takes a second."""
    plan = Plan((BLOCK,), seed=1)
    return Times(plan, [BlockTimes(BLOCK, number, (*values, (1.0,))) for number, values in enumerate(rounds, start=1)])


def test_strategies_of_a_backend_and_backends_of_a_strategy_are_compared() -> None:
    assert pairs(BLOCK) == ((0, 1), (1, 2))


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=9))
def test_with_as_many_values_on_both_sides_a_round_gives_the_median_of_paired_ratios(
    values: list[tuple[float, float]],
) -> None:
    seconds = np.array([list(zip(*values, strict=True))])
    assert log_ratios(seconds, 0, 1) == pytest.approx([np.median([np.log(one / two) for one, two in values])], abs=1e-9)


def test_pairs_cancel_a_drift_that_both_arms_share() -> None:
    drift = np.array([1.0, 3.0, 2.0, 7.0, 5.0])
    assert log_ratios(np.array([[4 * drift, drift]]), 0, 1) == pytest.approx([np.log(4)])


def test_with_fewer_values_on_one_side_a_round_gives_the_ratio_of_medians() -> None:
    few, many = [8.0, 10.0, 9.0, np.nan, np.nan], [5.0, 1.0, 3.0, 4.0, 2.0]
    assert log_ratios(np.array([[few, many]]), 0, 1) == pytest.approx([np.log(9.0 / 3.0)])


def test_rounds_may_have_different_numbers_of_values() -> None:
    times = measured(((4.0, 4.0), (1.0,), (2.0,)), ((8.0,), (2.0, 2.0, 2.0), (2.0,)))
    assert log_ratios(times.seconds(BLOCK), 0, 1) == pytest.approx(np.log([4.0, 4.0]))


def test_a_speedup_has_no_interval_before_six_rounds_and_counts_as_infinitely_wide() -> None:
    times = measured(*[((4.0,), (1.0,), (0.5,))] * 5)
    assert [speedup.ratio.value for speedup in KnownSpeedups(times).of([BLOCK])[BLOCK]] == pytest.approx([4.0, 2.0])
    widest_pair = KnownSpeedups(times).widest([BLOCK])
    assert widest_pair is not None
    assert widest_pair.half_width == float("inf")


def test_the_widest_speedup_is_found() -> None:
    steady = [((4.0,), (1.0,), (0.5 * (1 + number / 100),)) for number in range(10)]
    widest_pair = KnownSpeedups(measured(*steady)).widest([BLOCK])
    assert widest_pair is not None
    assert widest_pair.candidate.backend == "numba"
    assert widest_pair.rounds == 10


def test_a_block_of_one_arm_has_no_speedup() -> None:
    lonely = Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 1000, ARMS[:1])
    times = Times(Plan((lonely,), seed=1), [BlockTimes(lonely, 1, ((1.0,), (1.0,)))])
    assert KnownSpeedups(times).of([lonely]) == {lonely: ()}
    assert KnownSpeedups(times).widest([lonely]) is None


def test_speedups_are_those_of_the_latest_times(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[list[Block]] = []
    real = speedups.ratios

    def counted(times: Times, blocks: list[Block]) -> dict[Block, speedups.Ratios]:
        computed.append(blocks)
        return real(times, blocks)

    monkeypatch.setattr(speedups, "ratios", counted)
    times = measured(((4.0,), (1.0,), (0.5,)))
    known = KnownSpeedups(times)
    for _ in range(2):
        assert [speedup.ratio.value for speedup in known.of([BLOCK])[BLOCK]] == pytest.approx([4.0, 2.0])
    times.add(BlockTimes(BLOCK, 1, ((8.0,), (1.0,), (0.5,), (1.0,))))
    assert [speedup.ratio.value for speedup in known.of([BLOCK])[BLOCK]] == pytest.approx([8.0, 2.0])
    assert computed == [[BLOCK], [], [BLOCK]]
