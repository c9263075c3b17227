"""Which arms of a block race against each other, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from actbench.analysis.interval import Interval
from actbench.analysis.standings import Place, Standing
from actbench.analysis.statistics import Floats
from actbench.model.cases import Arm, Block
from actbench.model.plan import LostRace


class RaceId(NamedTuple):
    """What tells a race from the others of a plan."""

    block: str
    """The id of the block."""
    backend: str
    """Empty where the backends of the block race together."""


Places = dict[RaceId, dict[Arm, Place]]
"""What is known of each arm of each race."""


@dataclass(frozen=True, slots=True)
class BlockEvidence:
    """What earlier runs say about a block."""

    arms: tuple[Arm, ...]
    """Those that every run has."""
    seconds: Floats
    """Rounds of all runs x these arms x values; NaN where an arm has fewer."""
    lost: Mapping[Arm, LostRace]
    """Those that lost in a run, which went on without them."""


def races_in(block: Block, *, apart: bool) -> dict[RaceId, tuple[Arm, ...]]:
    """Return the arms of each race of a block; `apart` tells whether there is one for each backend."""
    arms: dict[RaceId, tuple[Arm, ...]] = {}
    for arm in block.arms:
        race = RaceId(block.id, arm.backend if apart else "")
        arms[race] = (*arms.get(race, ()), arm)
    return arms


def place_of(arm: Arm, lost: LostRace) -> Place:
    """Return the place of an arm that has lost."""
    return Place(arm, Standing.SLOWER, Interval(*lost.ratio), Interval(*lost.seconds), lost.rounds)
