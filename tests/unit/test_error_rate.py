"""How often live checks are wrong, whether rounds are skewed, have two modes or heavy tails: no more than stated."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis.sequential import median_interval, sequential_p_value
from actbench.analysis.statistics import CONFIDENCE, holm
from tests.support.scatter import SCATTERS, Draw
from tests.support.tiers import EXHAUSTIVE

ROUNDS = 40
"""Of a long check."""

CASES = 8


def share_with_alarm(draw: Draw, checks: int) -> float:
    """Return the share of checks that call any case slower than the margin, where all are exactly at the margin.

    The p-value is the smallest one after any round, so that this counts every look, however often the check looks.
    """
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(checks):
        p_values = [sequential_p_value(rounds, 0.0) for rounds in draw(rng, (CASES, ROUNDS))]
        alarms += bool(np.any(holm(p_values) <= 1 - CONFIDENCE))
    return alarms / checks


def share_missed(draw: Draw, checks: int) -> float:
    """Return the share of cases whose interval misses the median after any round."""
    rng = np.random.default_rng(12)
    missed = 0
    for rounds in draw(rng, (checks, ROUNDS)):
        looks = [median_interval(rounds[:count]) for count in range(8, ROUNDS + 1)]
        missed += any(look.excludes(0.0) for look in looks)
    return missed / checks


@pytest.mark.parametrize("name", SCATTERS)
def test_checks_are_wrong_no_more_often_than_they_state(name: str) -> None:
    assert share_with_alarm(SCATTERS[name], checks=40) <= 0.05
    assert share_missed(SCATTERS[name], checks=60) <= 0.05


@EXHAUSTIVE
@pytest.mark.parametrize("name", SCATTERS)
def test_many_checks_are_wrong_no_more_often_than_they_state(name: str) -> None:
    assert share_with_alarm(SCATTERS[name], checks=2000) <= 0.05
    assert share_missed(SCATTERS[name], checks=3000) <= 0.05
