from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from actbench.analysis.rounds_needed import FEWEST_ROUNDS, rounds_needed
from actbench.analysis.sequential import fewest_above
from tests.support.scatter import SCATTERS, Draw
from tests.support.tiers import EXHAUSTIVE


def test_the_scatter_decides_and_not_where_the_rounds_lie() -> None:
    rounds = np.linspace(-1, 1, 21)
    assert rounds_needed(rounds, 0.75) == rounds_needed(rounds + 4, 0.75)
    needs = [rounds_needed(rounds, margin) for margin in (2.0, 0.95, 0.75)]
    assert needs == sorted(needs, key=lambda need: need or np.inf)
    assert rounds_needed(rounds, 0.01) is None


def test_too_few_rounds_tell_nothing_of_their_scatter() -> None:
    assert rounds_needed([0.0] * (FEWEST_ROUNDS - 1), 0.01) == FEWEST_ROUNDS
    few, many = (rounds_needed([0.0] * number, 0.01) for number in (FEWEST_ROUNDS, 1000))
    assert few is not None
    assert many is not None
    assert few > many == FEWEST_ROUNDS


@pytest.mark.parametrize("name", SCATTERS)
def test_checks_that_follow_are_decided_after_that_many_rounds(name: str) -> None:
    assert share_decided(SCATTERS[name], pilots=40) >= 0.85


@EXHAUSTIVE
@pytest.mark.parametrize("name", SCATTERS)
def test_nineteen_of_twenty_checks_that_follow_are_decided(name: str) -> None:
    assert share_decided(SCATTERS[name], pilots=1500) >= 0.92


def share_decided(draw: Draw, pilots: int) -> float:
    """Return the share of simulated checks without a change that are decided after the rounds that pilots ask for."""
    rng = np.random.default_rng(7)
    decided = []
    for number in range(pilots):
        margin = (1.3, 1.8, 2.5)[number % 3]
        need = rounds_needed(draw(rng, (12, 24)[number % 2]), margin)
        if need is not None:
            decided += [is_decided(draw(rng, need), margin) for _ in range(10)]
    return float(np.mean(decided))


def is_decided(rounds: NDArray[np.float64], margin: float) -> bool:
    """Say whether the interval lies inside the margin after any round."""
    allowed = np.array([number - (fewest_above(number) or number + 1) for number in range(1, rounds.size + 1)])
    return bool(np.any((np.cumsum(rounds > margin) <= allowed) & (np.cumsum(rounds < -margin) <= allowed)))
