"""Winners of races that are resampled from the recorded rounds of the reference host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actbench.model.cases import Arm
from actbench.model.variants import Variant
from benchmarks.resampled_races import RIGHT, Recorded, outcomes, recorded

RESULTS = Path(__file__).parents[2] / "results"

ARMS = (Arm(Variant("cached"), "numpy"), Arm(Variant("recompute"), "numpy"))


@pytest.fixture(scope="module")
def races() -> list[Recorded]:
    return [*recorded(RESULTS / "reference")]


def test_a_winner_that_is_named_alone_is_right(races: list[Recorded]) -> None:
    ends = outcomes(races, 60, 30)
    assert ends["right"] > 20
    assert ends["right"] >= RIGHT * (ends["right"] + ends["wrong"])


class NeverFastest(Recorded):
    """A race whose winner is wrong whoever it is."""

    def is_fastest(self, arm: int) -> bool:
        """Return False."""
        del arm
        return False


def test_a_wrong_winner_is_counted_as_such_and_whether_the_second_is_close() -> None:
    close, far = (np.exp(np.array([[0.0, second]] * 12))[:, :, None] for second in (0.05, 0.5))
    assert Recorded("one", ARMS, close).is_fastest(0)
    assert not Recorded("one", ARMS, close).is_fastest(1)
    ends = outcomes([NeverFastest("one", ARMS, close), NeverFastest("one", ARMS, far)], 4, 20)
    assert ends == {"wrong": 4, "wrong, close": 2}
