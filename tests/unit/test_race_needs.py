"""How many rounds it takes until an open arm of a race is a tie, or slower."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.race_needs import rounds_to_decide
from actbench.analysis.standings import Place, Standing, standings
from actbench.model.cases import Arm
from actbench.model.variants import Variant

LEADER, ARM = (Arm(Variant(name), "numpy") for name in ("recompute", "cached"))

MARGIN = 0.02

SCATTERED = (0.97, 0.99, 1.01, 1.03)
"""Ratios of which half lie within the margin, and three quarters on either side of it."""


def place(ratios: NDArray[np.float64]) -> Place:
    """Return the place of an arm that takes so many times as long as the leader, round by round."""
    seconds = np.stack([np.ones_like(ratios), ratios], axis=1)[:, :, None]
    places = standings((LEADER, ARM), seconds, MARGIN, 1)
    return next(one for one in places if one.standing is not Standing.LEADS)


def test_a_tie_takes_the_rounds_that_bound_it_on_either_side_and_not_as_many_within_the_margin() -> None:
    now = place(np.array(SCATTERED * 3))
    assert now.standing is Standing.OPEN
    needed = rounds_to_decide(now, 2)
    assert needed is not None
    rng = np.random.default_rng(7)
    ends = [place(rng.choice(SCATTERED, needed)).standing for _ in range(200)]
    assert ends.count(Standing.TIE) >= 0.9 * len(ends)


def test_no_number_of_rounds_shows_a_tie_of_an_arm_that_is_beyond_the_margin_in_half_of_them() -> None:
    assert rounds_to_decide(place(np.array((1.0, 1.05) * 5)), 2) is None
