"""The stopping rule of a race: until only ties are left, or the budget is spent.

Arms that have lost drop out, with the reason, while others are open: their time is the others' then. Those that lose in
the round that decides stay, since nothing is measured afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from actbench.analysis.standings import Place, Standing, is_decided, standings
from actbench.measure.stopping import BlockProgress
from actbench.model.cases import Arm
from actbench.model.plan import LeftOut
from actbench.model.times import Times

K = TypeVar("K")


@dataclass(slots=True)
class Racing:
    """The rule for a plan of one block. Times in seconds."""

    margin: float
    """The share of the fastest arm's time that makes no difference."""
    budget: float
    comparisons: int
    """The number of arms beside one at the start."""
    places: dict[Arm, Place] = field(default_factory=dict)
    """What is known of each arm by now; of those that have dropped out, by then."""
    decided: bool = False

    def enough(self, done: int, widest: float, elapsed: float, next_round: float) -> bool:
        """Return whether to stop after `done` rounds; `next_round` is the duration of another round."""
        del widest
        return done > 0 and (self.decided or elapsed + next_round > self.budget)

    def worthwhile(
        self, done: int, progress: Mapping[K, BlockProgress], elapsed: float, starting: float = 0.0
    ) -> list[K]:
        """Return the blocks that take part in the next round: all."""
        del done, elapsed, starting
        return [] if self.decided else [*progress]

    def left(self, done: int, elapsed: float, next_round: float) -> float | None:
        """Return the largest number of seconds that may be left."""
        del done, next_round
        return 0.0 if self.decided else max(self.budget - elapsed, 0.0)

    def dropped(self, times: Times) -> list[LeftOut]:
        """Judge the arms after a round; return those that drop out of the next ones."""
        (block,) = times.blocks
        places = standings(block.arms, times.seconds(block), self.margin, self.comparisons)
        self.places |= {place.arm: place for place in places}
        self.decided = is_decided(places)
        if self.decided:
            return []
        leader = next(place.arm for place in places if place.standing is Standing.LEADS)
        cases = zip(block.cases, places, strict=True)
        return [LeftOut(case.id, _lost(place, leader)) for case, place in cases if place.standing is Standing.SLOWER]


def _lost(place: Place, leader: Arm) -> str:
    value, low, high = place.ratio
    return (
        f"it takes {value:.3g} ({low:.3g} to {high:.3g}) times as long as {leader.strategy} with {leader.backend}, as "
        f"{place.rounds} rounds show"
    )
