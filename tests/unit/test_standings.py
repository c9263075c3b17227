"""Where arms of a race stand, by exact rounds."""

from __future__ import annotations

import numpy as np
import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.races import LostPlace
from actbench.analysis.standings import Place, Standing, standings
from actbench.model.cases import Arm
from actbench.model.variants import Variant

LEADER, ARM = (Arm(Variant(name), "numpy") for name in ("recompute", "cached"))

MARGIN = 0.02


def place(*ratios: float) -> Place:
    """Return the place of an arm that takes so many times as long as the leader, round by round."""
    seconds = np.array([(1.0, ratio) for ratio in ratios])[:, :, None]
    leader, arm = standings((LEADER, ARM), seconds, MARGIN, 1)
    assert leader.standing is Standing.LEADS
    return arm


@pytest.mark.parametrize(
    ("ratios", "standing"),
    [
        ([1.01] * 15, Standing.TIE),
        ([1.005, 0.995] * 7 + [1.005], Standing.TIE),
        ([1.005] * 8 + [0.93] * 7, Standing.OPEN),
        ([1.005] * 8 + [1.07] * 7, Standing.SLOWER),
        ([1.07] * 8 + [0.995] * 7, Standing.OPEN),
    ],
)
def test_an_arm_is_a_tie_where_its_interval_lies_within_the_margin_on_both_sides_of_1(
    ratios: list[float], standing: Standing
) -> None:
    assert place(*ratios).standing is standing


def test_rounds_on_either_side_of_the_margin_are_counted_apart() -> None:
    paired = place(*[1.005] * 8, *[0.93] * 4, *[1.05] * 3).paired
    assert paired is not None
    assert (paired.below, paired.above, paired.slower) == (12, 11, 11)


def test_an_arm_that_lost_is_no_tie_where_it_may_be_faster_than_the_leader_by_more_than_the_margin() -> None:
    lost = LostPlace(Place(ARM, Standing.SLOWER, Interval(1.005, 1.001, 1.01), Interval(1, 1, 1), 12), LEADER)
    near, wide = (Place(LEADER, Standing.OPEN, Interval(1.0, low, 1.005), Interval(1, 1, 1), 12) for low in (0.99, 0.9))
    assert lost.behind(near, MARGIN).standing is Standing.TIE
    assert lost.behind(wide, MARGIN).standing is Standing.SLOWER
