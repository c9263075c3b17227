"""What an interval and its p-values decide."""

from __future__ import annotations

from math import inf, nan

import pytest

from actbench.analysis.check_live import LiveTimes, confirms, judge
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.regression import Change, Margins, Verdict, by_severity, verdict
from actbench.model.cases import Case
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from tests.support.compared import BLOCK

SURE, UNSURE = 0.001, 0.2


@pytest.mark.parametrize(
    ("ratio", "slower", "faster", "expected"),
    [
        ((1.10, 1.06, 1.15), SURE, 1.0, Verdict.REGRESSED),
        ((1.10, 1.06, 1.15), UNSURE, 1.0, Verdict.INCONCLUSIVE),
        ((1.10, 1.04, 1.15), SURE, 1.0, Verdict.INCONCLUSIVE),
        ((0.90, 0.86, 0.94), 1.0, SURE, Verdict.IMPROVED),
        ((0.90, 0.86, 0.94), 1.0, UNSURE, Verdict.NOT_SLOWER),
        ((0.95, 0.90, 0.97), 1.0, SURE, Verdict.NOT_SLOWER),
        ((1.00, 0.97, 1.03), 1.0, 1.0, Verdict.UNCHANGED),
        ((1.00, 0.97, 1.06), 1.0, 1.0, Verdict.INCONCLUSIVE),
        ((1.00, 0.94, 1.03), 1.0, 1.0, Verdict.NOT_SLOWER),
        ((nan, nan, nan), nan, nan, Verdict.INCONCLUSIVE),
    ],
)
def test_a_verdict_takes_the_whole_interval_and_a_small_p_value(
    ratio: tuple[float, float, float], slower: float, faster: float, expected: Verdict
) -> None:
    assert verdict(Interval(*ratio), 0.05, slower, faster) is expected


def test_the_half_width_is_the_longer_side() -> None:
    assert Interval(2.0, 1.5, 3.0).half_width == 1.0
    assert Interval(2.0, 0.5, 3.0).half_width == 1.5
    assert NO_ESTIMATE.half_width == inf


def test_within_a_verdict_the_largest_change_in_either_direction_comes_first() -> None:
    changes = [
        Change(
            Case.parse(f"logistic/cached/numpy/derivative/float64/{size}"),
            kind,
            Interval(value, value, value),
            0.05,
            1,
            8,
            8,
        )
        for size, kind, value in [
            (1, Verdict.UNCHANGED, 1.01),
            (2, Verdict.REGRESSED, 1.2),
            (3, Verdict.UNCHANGED, 0.97),
            (4, Verdict.REGRESSED, 1.5),
            (5, Verdict.UNCHANGED, nan),
        ]
    ]
    assert [change.case.size for change in by_severity(changes)] == [4, 2, 3, 1, 5]


@pytest.mark.parametrize(
    ("value", "p_value", "confirmed"), [(1.1, SURE, True), (1.1, UNSURE, False), (1.01, SURE, False)]
)
def test_repeated_rounds_confirm_by_a_small_p_value_and_an_estimate_beyond_the_margin(
    value: float, p_value: float, *, confirmed: bool
) -> None:
    ratio = Interval(value, 0.99 * value, 1.01 * value)
    assert confirms(Change(BLOCK.cases[0], Verdict.INCONCLUSIVE, ratio, 0.05, p_value, 8, 8)) is confirmed


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_control_that_changes_in_either_direction_says_that_the_host_is_noisy(factor: float) -> None:
    times = LiveTimes(Plan((BLOCK,), seed=1))
    for number in range(1, 21):
        for side in times.all_three:
            seconds = (factor if side is times.control else 1.0, 1.0, 1.0)
            side.add(BlockTimes(BLOCK, number, tuple((one,) for one in seconds)))
    assert [change.case for change in judge(times, Margins(0.05)).noise] == [BLOCK.cases[0]]
