"""Rounds are said to fall into two clusters where they do, and seldom where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis import clusters as rule
from actbench.analysis.clusters import LEAST_ROUNDS, clusters

CASES = 24
"""The number of cases of a check by the default preset."""


def false_alarms(rounds: int) -> float:
    """Return the share of samples of one normal distribution that seem to fall into two clusters."""
    rng = np.random.default_rng(rounds)
    return float(np.mean([clusters(rng.normal(size=rounds)) is not None for _ in range(10_000)]))


def test_rounds_of_a_process_that_is_either_fast_or_slow_fall_into_two_clusters() -> None:
    rng = np.random.default_rng(1)
    fast, slow = np.log(1.0) + 0.001 * rng.normal(size=7), np.log(1.4) + 0.001 * rng.normal(size=4)
    both = clusters([*slow, *fast])
    assert both is not None
    assert [one.rounds for one in both] == [7, 4]
    assert [one.ratio for one in both] == pytest.approx([1.0, 1.4], rel=0.01)


def test_an_outlier_is_no_cluster() -> None:
    assert clusters([0.0] * 11 + [1.0]) is None
    assert clusters([0.0, 0.01] * 5 + [1.0, 1.0]) is None


def test_few_rounds_are_not_said_to_fall_into_clusters() -> None:
    assert clusters([0.0, 0.0, 0.0, 1.0, 1.0]) is None
    assert clusters([0.0] * (LEAST_ROUNDS - 4) + [1.0] * 3) is None
    assert clusters([0.0] * (LEAST_ROUNDS - 4) + [1.0] * 4) is not None


def test_with_that_many_rounds_few_checks_show_a_cluster_that_is_none_and_with_fewer_more_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 1 - (1 - false_alarms(LEAST_ROUNDS)) ** CASES < 0.05
    monkeypatch.setattr(rule, "LEAST_ROUNDS", 1)
    assert 1 - (1 - false_alarms(LEAST_ROUNDS - 2)) ** CASES > 0.05
