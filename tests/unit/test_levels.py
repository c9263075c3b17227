"""Where a series of runs steps, by how much, and how surely."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest

from actbench.analysis.levels import FEWEST_RUNS, levels, step_between
from actbench.analysis.statistics import Floats
from actbench.analysis.step_detection import finder

pytest.importorskip("asv", reason="steps are found by asv, the extra history")

SERIES = 200


def drawn(
    rng: np.random.Generator, runs: int, *, scatter: float = 0.006, step: float = 0.0, at: int = 0, bounds: float = 0.01
) -> Floats:
    """Return runs that scatter normally and step at a place, with intervals of some width."""
    logs = rng.normal(0.0, scatter, runs) + np.where(np.arange(runs) >= at, np.log1p(step), 0.0)
    half = bounds * rng.uniform(0.7, 1.3, runs)
    series: Floats = np.exp(np.column_stack([logs, logs - half, logs + half]))
    return series


@pytest.mark.parametrize("runs", [12, 64])
def test_steps_are_false_in_fewer_than_one_series_of_twenty(runs: int) -> None:
    rng = np.random.default_rng(1)
    false = sum(bool(levels(drawn(rng, runs), finder()).steps) for _ in range(SERIES))
    assert false <= 0.05 * SERIES


def test_steps_of_runs_with_a_few_far_away_are_false_as_seldom() -> None:
    rng = np.random.default_rng(2)
    false = 0
    for _ in range(SERIES):
        series = drawn(rng, 64)
        series *= np.where(rng.random(64) < 0.05, 1.1, 1.0)[:, np.newaxis]
        false += bool(levels(series, finder()).steps)
    assert false <= 0.05 * SERIES


@pytest.mark.parametrize("bounds", [0.002, 0.012, nan], ids=["narrow", "wide", "none"])
def test_a_step_is_found_at_its_place_and_its_interval_holds_its_size(bounds: float) -> None:
    rng = np.random.default_rng(3)
    found = [levels(drawn(rng, 40, step=0.03, at=17, bounds=bounds), finder()).steps for _ in range(SERIES)]
    near = [step for steps in found for step in steps if abs(step.after - 17) <= 1]
    assert len(near) >= 0.95 * SERIES
    assert np.mean([step.ratio.contains(1.03) for step in near]) > 0.9
    assert all(step.p_value <= 0.05 and not step.ratio.contains(1.0) for step in near)


def test_more_series_take_a_larger_step() -> None:
    series = drawn(np.random.default_rng(4), 12, step=0.02, at=6)
    assert len(levels(series, finder()).steps) == 1
    assert not levels(series, finder(), series=1000).steps


def test_two_steps_leave_three_levels() -> None:
    series = drawn(np.random.default_rng(5), 30, scatter=0.003)
    series[10:] *= 1.05
    series[20:] /= 1.08
    shown = levels(series, finder())
    assert [(level.begin, level.end) for level in shown.levels] == [(0, 10), (10, 20), (20, 30)]
    assert [step.ratio.value for step in shown.steps] == pytest.approx([1.05, 1 / 1.08], rel=0.003)
    assert shown.scatter == pytest.approx(0.003, rel=0.5)


@pytest.mark.parametrize("off", [1, FEWEST_RUNS - 1])
def test_fewer_runs_than_a_level_takes_are_no_level(off: int) -> None:
    series = drawn(np.random.default_rng(6), 20, scatter=0.003)
    series[12 : 12 + off] *= 1.5
    series[-off:] *= 1.5
    assert not levels(series, finder()).steps


@pytest.mark.parametrize("runs", [1, 2, 5])
def test_a_few_runs_are_one_level(runs: int) -> None:
    series = drawn(np.random.default_rng(7), runs)
    shown = levels(series, finder())
    assert [(level.begin, level.end) for level in shown.levels] == [(0, runs)]
    assert shown.levels[0].value.value == pytest.approx(np.exp(np.log(series[:, 0]).mean()), rel=0.01)
    assert shown.levels[0].value.has_bounds == (runs > 1)


def test_exact_runs_step_by_no_less_than_a_clock_resolves() -> None:
    exact = np.ones((12, 3))
    exact[6:] *= 1 + 2e-5
    assert not levels(exact, finder()).steps
    exact[6:] *= 1.01
    (step,) = levels(exact, finder()).steps
    assert step.ratio.value == pytest.approx(1.01, rel=1e-4)


def test_the_step_between_two_given_levels_has_an_interval_of_their_scatter() -> None:
    rng = np.random.default_rng(8)
    series = drawn(rng, 20, scatter=0.1, step=0.03, at=10, bounds=nan)
    assert step_between(series, (0, 10), 20).contains(1.03)
    assert step_between(series, (0, 10), 20).half_width > 0.05
    assert not step_between(drawn(rng, 20, scatter=0.001, step=0.03, at=10, bounds=nan), (0, 10), 20).contains(1.0)


def test_runs_of_one_position_are_of_one_level() -> None:
    series = drawn(np.random.default_rng(9), 20, scatter=0.003)
    series[9:] *= 1.05
    (step,) = levels(series, finder(), positions=[number // 5 for number in range(20)]).steps
    assert step.after == 10
    assert not levels(series, finder(), positions=[0] * 20).steps


def test_fewer_places_take_a_smaller_step() -> None:
    series = drawn(np.random.default_rng(4), 12, step=0.02, at=6)
    (one,), (other,) = levels(series, finder()).steps, levels(series, finder(), positions=[0] * 6 + [1] * 6).steps
    assert one.p_value == pytest.approx(7 * other.p_value)
