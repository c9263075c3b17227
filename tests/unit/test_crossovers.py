from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan, log, sqrt
from typing import Any

import numpy as np
import pytest

from actbench.analysis.crossovers import (
    Crossover,
    Curve,
    CurvePoint,
    Winner,
    curve_points,
    curves,
    findings,
)
from actbench.analysis.interval import Interval
from actbench.analysis.speedups import ratios
from actbench.analysis.statistics import MIN_ROUNDS, hodges_lehmann, signed_rank_p_value
from actbench.model.cases import OVERHEAD, Arm, Block
from actbench.model.curve_events import CurveEvent
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.times import Times
from actbench.model.variants import Variant
from actbench.planning.presets import HALF_DECADES
from tests.support.tiers import exhaustive_but

Logs = list[tuple[int, Any]]
Truth = Callable[[Any], Any]

SIMULATIONS = 300

ERROR = 2 * sqrt(0.05 * 0.95 / SIMULATIONS)
"""Two standard errors of a share of 5 % of them."""


def judged(logs: Sequence[tuple[int, Any]]) -> tuple[CurvePoint, ...]:
    """Return the points of a single curve."""
    (points,) = curve_points([logs])
    return points


def spread(truth: Truth, scatter: float, rounds: int, generator: np.random.Generator, runs: int = 1) -> list[Logs]:
    """Return the log ratios of runs that scatter about a curve: one process of twenty-five is 40 % off."""
    shape = (runs, len(HALF_DECADES), rounds)
    errors = generator.normal(0, scatter, shape)
    errors += np.where(generator.random(shape) < 0.04, generator.choice([-0.34, 0.34], shape), 0.0)
    curve = np.array([truth(log(size)) for size in HALF_DECADES])
    return [[*zip(HALF_DECADES, logs, strict=True)] for logs in curve[:, None] + errors]


def simulated(truth: Truth, scatter: float, rounds: int) -> list[list[Crossover]]:
    runs = spread(truth, scatter, rounds, np.random.default_rng(rounds), SIMULATIONS)
    return [[*findings(points, "recompute", "cached")] for points in curve_points(runs)]


def crossing(events: Sequence[Crossover]) -> list[Crossover]:
    return [event for event in events if event.kind is CurveEvent.CROSSES]


def exact(*ratios: float, rounds: int = 6) -> Logs:
    return [(10 * 4**index, np.full(rounds, log(ratio))) for index, ratio in enumerate(ratios)]


def events_of(logs: Logs) -> list[Crossover]:
    return list(findings(judged(logs), "recompute", "cached"))


# The interval


@pytest.mark.parametrize("rounds", exhaustive_but([6, 9, 15], (9).__eq__))
@pytest.mark.parametrize("where", [1e6, 2.8e6])
def test_the_interval_of_a_crossover_holds_the_truth_95_percent_of_the_time(where: float, rounds: int) -> None:
    reported = [
        crossing(events)[0] for events in simulated(lambda x: -0.4 * (x - log(where)), 0.05, rounds) if crossing(events)
    ]
    assert len(reported) > 0.8 * SIMULATIONS
    held = np.mean([event.size.contains(where) for event in reported])
    assert held >= 0.95 - ERROR
    assert held < 1 or rounds < 9


@pytest.mark.parametrize("rounds", exhaustive_but([6, 9, 15], (9).__eq__))
def test_a_bend_between_two_sizes_is_in_the_interval(rounds: int) -> None:
    """A fall from 2.5 to 0.74 within a decade, ten times as far as the rounds scatter."""
    where = 1e6 * 3 ** (1 / 1.5)
    reported = [
        crossing(events)[0]
        for events in simulated(lambda x: 1.2 / (1 + np.exp(1.5 * (x - log(1e6)))) - 0.3, 0.05, rounds)
        if crossing(events)
    ]
    assert np.mean([event.size.contains(where) for event in reported]) > 0.9


@pytest.mark.parametrize("rounds", exhaustive_but([6, 9, 15], (9).__eq__))
@pytest.mark.parametrize(
    "truth",
    [
        lambda x: np.clip(0.5 * (log(1e5) - x), 0.0, 1.3),
        lambda x: np.clip(0.5 * (x - log(1e4)), -1.3, 0.0),
        lambda x: 0.0 * x,
        lambda x: 0.2 + 0.0 * x,
        lambda x: np.abs(log(1e4) - x),
    ],
    ids=["fades", "emerges", "equal", "constant", "touches"],
)
def test_a_curve_that_never_crosses_seems_to_in_at_most_one_run_of_twenty(truth: Truth, rounds: int) -> None:
    false = [events for events in simulated(truth, 0.05, rounds) if crossing(events)]
    assert len(false) <= (0.05 + ERROR) * SIMULATIONS


def test_exact_times_cross_exactly() -> None:
    (event,) = events_of(exact(4.0, 2.0, 0.5, 0.25))
    assert (event.kind, event.below, event.above) == (CurveEvent.CROSSES, "cached", "recompute")
    assert event.size == pytest.approx([80.0] * 3, rel=1e-2)


def test_a_slowdown_that_becomes_a_speedup_crosses_the_other_way() -> None:
    (event,) = events_of(exact(0.25, 0.5, 2.0, 4.0))
    assert (event.below, event.above) == ("recompute", "cached")
    assert event.size.value == pytest.approx(80.0, rel=1e-2)


def test_turning_reference_and_candidate_round_changes_names_only() -> None:
    (logs,) = spread(lambda x: -0.3 * (x - log(3e5)), 0.1, 9, np.random.default_rng(3))
    (one,) = events_of(logs)
    (other,) = findings(judged([(size, -rounds) for size, rounds in logs]), "cached", "recompute")
    assert (one.below, one.above) == (other.below, other.above) == ("cached", "recompute")
    assert one.size == pytest.approx(other.size)


def test_the_estimate_lies_in_its_interval_and_that_between_the_sizes_that_enclose_it() -> None:
    for events in simulated(lambda x: -0.2 * (x - log(1e5)), 0.2, 9):
        for event in crossing(events):
            assert HALF_DECADES[0] < event.size.low <= event.size.value <= event.size.high < HALF_DECADES[-1]


def test_sizes_without_a_decision_in_between_widen_the_interval() -> None:
    wide = np.array([-1.0, 1.0, -0.8, 0.8, -0.5, 0.5])
    logs = exact(4.0, 2.0, 1.0, 0.5, 0.25)
    logs[2] = (logs[2][0], wide)
    (event,) = events_of(logs)
    assert event.size.low < 160 < event.size.high
    assert (event.size.low, event.size.high) != pytest.approx((160.0, 160.0), rel=0.1)


def test_a_curve_may_cross_twice() -> None:
    first, second = events_of(exact(0.5, 0.5, 2.0, 2.0, 0.5, 0.5))
    assert (first.below, first.above, second.below, second.above) == ("recompute", "cached", "cached", "recompute")
    assert first.size.high < second.size.low


# What is no crossover


def test_a_strategy_that_is_faster_everywhere_has_no_crossover() -> None:
    (event,) = events_of(exact(4.0, 3.0, 2.0, 1.1))
    assert (event.kind, *event.size[1:], event.below, event.above) == (
        CurveEvent.NONE,
        10,
        640,
        "cached",
        "cached",
    )


def test_a_speedup_fades_between_the_last_size_with_a_difference_and_the_first_without() -> None:
    (event,) = events_of(exact(4.0, 2.0, 1.0, 1.0))
    assert (event.kind, *event.size[1:], event.below, event.above) == (
        CurveEvent.FADES,
        40,
        160,
        "cached",
        "",
    )
    assert isnan(event.size.value)


def test_a_speedup_may_emerge_at_small_sizes() -> None:
    (event,) = events_of(exact(1.0, 1.0, 2.0, 4.0))
    assert (event.kind, *event.size[1:], event.below, event.above) == (
        CurveEvent.FADES,
        40,
        160,
        "",
        "cached",
    )


def test_what_scatters_about_1_by_more_than_a_tenth_is_undecided_and_does_not_fade() -> None:
    logs = exact(4.0, 2.0, 2.0, 1.0)
    logs[3] = (640, np.array([-0.5, 0.5, -0.3, 0.3, -0.2, 0.2]))
    (event,) = events_of(logs)
    assert (event.kind, *event.size[1:], event.below, event.above) == (
        CurveEvent.UNDECIDED,
        160,
        640,
        "cached",
        "",
    )


def test_one_speed_everywhere_is_no_crossover_and_nobody_is_faster() -> None:
    (event,) = events_of(exact(1.0, 1.0, 1.0, 1.0))
    assert (event.kind, *event.size[1:], event.below, event.above) == (CurveEvent.NONE, 10, 640, "", "")


def test_an_open_size_between_decided_ones_hides_nothing_and_adds_nothing() -> None:
    points = judged(exact(4.0, 1.0, 2.0, 2.0, 2.0))
    assert [point.winner for point in points].count(Winner.CANDIDATE) == 4
    (event,) = findings(points, "recompute", "cached")
    assert (event.kind, event.below, event.above) == (CurveEvent.NONE, "cached", "cached")


@pytest.mark.parametrize("rounds", range(1, MIN_ROUNDS))
def test_without_intervals_all_is_undecided(rounds: int) -> None:
    (event,) = events_of(exact(4.0, 2.0, 0.5, 0.25, rounds=rounds))
    assert (event.kind, *event.size[1:]) == (CurveEvent.UNDECIDED, 10, 640)


def test_a_size_that_failed_early_counts_for_nothing() -> None:
    logs = exact(4.0, 4.0, 2.0, 0.5, 0.25, 0.25)
    logs.insert(3, (90, np.array([5.0])))
    (event,) = events_of(sorted(logs))
    assert (event.kind, event.below) == (CurveEvent.CROSSES, "cached")
    assert event.size.low == pytest.approx(event.size.high, rel=1e-2)


def test_the_rounds_of_a_crossover_are_those_of_the_sizes_that_enclose_it() -> None:
    logs = [*exact(4.0, 2.0, 0.5, 0.25, rounds=8), (2560, np.array([-1.0]))]
    crosses, undecided = events_of(logs)
    assert (crosses.kind, crosses.rounds) == (CurveEvent.CROSSES, 8)
    assert (undecided.kind, undecided.rounds) == (CurveEvent.UNDECIDED, 1)


def test_one_size_of_many_against_the_rest_needs_more_than_its_own_interval() -> None:
    """Six rounds on one side happen to one size of sixty-four by chance; of five equal ones, to one run in six."""
    alone = np.array([-0.01, -0.02, -0.01, -0.03, -0.01, -0.02])
    around = np.array([-0.01, 0.02, -0.01, 0.03, -0.02, 0.01])
    faster = exact(4.0, 3.0, 2.0)
    logs = [*faster, *((1000 * 4**index, around) for index in range(4)), (1_000_000, alone)]
    points = judged(logs)
    assert points[-1].speedup.high < 1
    assert [point.winner for point in points] == [Winner.CANDIDATE] * 3 + [Winner.EQUAL] * 5


# The curves of a run


def measured(sizes: Sequence[int], *arms: Arm, activation: str = "logistic") -> list[Curve]:
    blocks = tuple(Block(activation, Op.STEP, Dtype.FLOAT64, size, arms) for size in sizes)
    seconds = tuple((1.0 + index,) for index in range(len(arms) + 1))
    finished = [BlockTimes(block, number, seconds) for block in blocks for number in range(1, 7)]
    return list(curves(ratios(Times(Plan(blocks, seed=1), finished), blocks)))


def test_every_two_strategies_of_a_backend_have_a_curve_from_the_smallest_size_on() -> None:
    strategies = ("recompute", "cached", "complement")
    arms = [Arm(Variant(strategy), backend) for backend in ("numpy", "numba") for strategy in strategies]
    series = measured([80, 10, 40, 20], *arms)
    pairs = [("recompute", "cached"), ("recompute", "complement"), ("cached", "complement")]
    assert [(curve.backend, curve.reference, curve.candidate) for curve in series] == [
        (backend, *pair) for backend in ("numpy", "numba") for pair in pairs
    ]
    for curve in series:
        assert [point.size for point in curve.points] == [10, 20, 40, 80]
    assert series[0].points[0] == CurvePoint(10, Interval(0.5, 0.5, 0.5), 6, Winner.REFERENCE)
    assert series[0].decided == 4


@pytest.mark.parametrize("sizes", [[10], [10, 20, 30]])
def test_fewer_than_four_sizes_make_no_curve(sizes: list[int]) -> None:
    assert not measured(sizes, Arm(Variant("recompute"), "numpy"), Arm(Variant("cached"), "numpy"))


def test_backends_of_one_strategy_and_rungs_make_no_curve() -> None:
    sizes = [10, 20, 30, 40]
    assert not measured(sizes, Arm(Variant("cached"), "numpy"), Arm(Variant("cached"), "numba"))
    assert not measured(sizes, Arm(Variant("empty"), "numpy"), Arm(Variant("loop"), "numpy"), activation=OVERHEAD)


# The test beneath


@pytest.mark.parametrize("rounds", range(1, 25))
def test_a_sign_is_shown_at_2_5_percent_exactly_where_the_interval_excludes_0(rounds: int) -> None:
    generator = np.random.default_rng(rounds)
    for shift in (0.0, 0.3, 0.6, 0.9):
        samples = generator.normal(shift, 1.0, rounds)
        assert (signed_rank_p_value(samples) <= 0.025) == (hodges_lehmann(samples).low > 0)


def test_ties_show_no_sign() -> None:
    assert signed_rank_p_value([0.0] * 10) == 1.0
