"""How long arms of live checks are timed on a noisy host."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from actbench.analysis.arm_time import (
    MOST,
    ROUNDS_TO_AFFORD,
    SCATTER_OF_PROCESSES,
    SECONDS_TO_START,
    deviation,
    factor,
    scatter_of_values,
)
from actbench.analysis.regression import Margins
from actbench.model.cases import Case
from tests.conftest import Actbench
from tests.support.checked import CASES
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench

MARGIN = 0.02


def test_the_scatter_of_values_is_that_of_the_median_of_their_ratios() -> None:
    rng = np.random.default_rng(1)
    values = 0.001 * np.exp(rng.normal(0, 0.05, (400, 2 * 15)))
    medians = [float(np.median(np.log(row[::2] / row[1::2]))) for row in values]
    assert deviation(scatter_of_values(values.tolist())) == pytest.approx(np.std(medians), rel=0.1)


def test_too_few_values_tell_nothing() -> None:
    assert deviation(scatter_of_values([[1.0], [1.0, 1.2] * 3])) == 0


@pytest.mark.parametrize(("scatter", "timing"), [(0.03, 0.3), (0.05, 1.0)])
def test_arms_are_as_long_as_leaves_the_least_variance_after_some_time(scatter: float, timing: float) -> None:
    def left(times: float) -> float:
        return (SCATTER_OF_PROCESSES**2 + scatter**2 / times) * (SECONDS_TO_START + times * timing)

    best = factor(scatter, timing, MARGIN)
    assert 1 < best < MOST
    assert left(best) < min(left(1.0), left(0.8 * best), left(1.25 * best))


@pytest.mark.parametrize(
    ("scatter", "margin"), [(0.0, MARGIN), (0.004, MARGIN), (0.03, 0.2)], ids=["none", "quiet", "a wide margin"]
)
def test_arms_are_as_usual_where_longer_ones_buy_nothing(scatter: float, margin: float) -> None:
    assert factor(scatter, 0.3, margin) == 1


def test_arms_are_no_longer_than_the_budget_and_the_fewest_rounds_need() -> None:
    assert factor(0.03, 0.2, 0.08) == pytest.approx(0.03**2 / (0.02**2 - SCATTER_OF_PROCESSES**2))
    budget = ROUNDS_TO_AFFORD * (SECONDS_TO_START + 3 * 0.3)
    assert factor(0.05, 0.3, MARGIN, budget) == pytest.approx(3)
    assert factor(1.0, 0.001, MARGIN) == MOST


def test_a_check_on_a_noisy_host_times_its_arms_for_longer_and_says_so(actbench: Actbench, bench: FakeBench) -> None:
    quiet = actbench(*CASES, "--format", "json")
    rng = random.Random(1)  # noqa: S311  # not for cryptography

    def noisy(case: Case) -> float:
        return exact_seconds(case) * rng.lognormvariate(0, 0.2)

    bench.seconds = bench.baseline_seconds = noisy
    result = actbench(*CASES, "--format", "json", "--budget", "10min")
    line = "a noisy host: an arm was timed for "
    (remark,) = (text for text in json.loads(result.stdout)["remarks"] if text.startswith(line))
    assert "ms a round instead of" in remark
    assert line not in quiet.stdout


def test_the_tightest_margin_of_a_check_decides() -> None:
    cases = [Case.parse(f"logistic/{strategy}/numpy/derivative/float64/1000") for strategy in ("cached", "recompute")]
    margins = Margins(0.05, (("*/cached/*", 0.02),))
    assert margins.tightest(cases) == pytest.approx(0.02)
    assert margins.tightest(cases[1:]) == pytest.approx(0.05)
