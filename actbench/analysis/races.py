"""Which arms of a block race against each other, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from actbench.analysis.interval import Interval
from actbench.analysis.standings import Place, Standing, takes_as_long
from actbench.analysis.statistics import Floats
from actbench.model.cases import Arm, Block
from actbench.model.plan import LeftOut, LostRace


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
    codes: Mapping[Arm, str] = field(default_factory=dict)
    """The digests of the code of all these, as far as runs have them."""
    failed: Mapping[Arm, LeftOut] = field(default_factory=dict)
    """Those that failed in a run, and were measured in none."""


def races_in(block: Block, *, apart: bool) -> dict[RaceId, tuple[Arm, ...]]:
    """Return the arms of each race of a block; `apart` tells whether there is one for each backend."""
    arms: dict[RaceId, tuple[Arm, ...]] = {}
    for arm in block.arms:
        race = RaceId(block.id, arm.backend if apart else "")
        arms[race] = (*arms.get(race, ()), arm)
    return arms


@dataclass(frozen=True, slots=True)
class LostPlace:
    """Where an arm stood when it had lost."""

    place: Place
    leader: Arm
    """The arm that led then, which its time is over."""

    @classmethod
    def of(cls, arm: Arm, lost: LostRace) -> LostPlace:
        """Return where an arm stood that lost in an earlier run."""
        interval = Interval(*lost.ratio)
        return cls(Place(arm, Standing.SLOWER, interval, Interval(*lost.seconds), lost.rounds), lost.faster)

    def behind(self, leader: Place, margin: float) -> Place:
        """Return its place now, by that of the arm which led then.

        It is a tie where its time over that of the arm that leads now is within the margin. Otherwise it is slower,
        whatever leads: it takes longer than an arm that may be the fastest.
        """
        leads = leader.standing is Standing.LEADS
        ratio = self.place.ratio if leads else self.place.ratio.times(leader.ratio)
        standing = Standing.TIE if takes_as_long(ratio, margin) else Standing.SLOWER
        place = replace(self.place, standing=standing, ratio=ratio)
        if leads:
            return place
        return replace(place, paired=None, slower_than=self.leader if standing is Standing.SLOWER else None)


def with_lost(places: Iterable[Place], lost: Mapping[Arm, LostPlace], margin: float) -> dict[Arm, Place]:
    """Return the places of arms that are measured, and of those that have lost.

    An arm has none where nothing is known any more of the one that it lost to.
    """
    measured = {place.arm: place for place in places}

    def place_of(arm: Arm) -> Place | None:
        if arm in measured or arm not in lost:
            return measured.get(arm)
        leader = place_of(lost[arm].leader)
        return None if leader is None else lost[arm].behind(leader, margin)

    return measured | {arm: place for arm in lost if (place := place_of(arm)) is not None}
