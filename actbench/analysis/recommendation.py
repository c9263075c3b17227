"""What a layer should keep: the outcome of a race between the ways to compute g', under bounds that they must meet.

Of the fastest arm and its ties, the one is recommended that keeps the fewest bytes beside those that are alive anyway;
of these the one whose g' is closest to the truth. While the race is open, it is the one that is ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from operator import itemgetter

from actbench.analysis.point_error import PointError
from actbench.analysis.race_needs import rounds_to_decide
from actbench.analysis.standings import Place, Standing, fewest_rounds
from actbench.kernels.training_memory import KeptBytes
from actbench.model.cases import Arm, Case


class RaceEnd(StrEnum):
    """How a race ended."""

    WINNER = "winner"
    TIES = "ties"
    OPEN = "open"
    """The budget was spent while an arm was neither slower nor a tie."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to compute g': a strategy, with its residuals' type, in a backend."""

    case: Case
    keeps: tuple[str, ...]
    """The residuals by name, ``("y",)``; of a framework's own activation, what it was observed to save."""
    sizes: tuple[int, ...]
    """The bytes per element of each."""
    beside: int
    """Bytes per element that are kept for g' alone: without those that are alive anyway."""
    error: PointError
    ruled_out: str = ""
    """The bound that it breaks, with the figure; empty where it takes part in the race."""
    in_step: KeptBytes | None = None
    """The bytes that a training step keeps; None where there is no network, or a framework decides."""
    place: Place | None = None
    """Where it stands; None where nothing is known."""

    @property
    def kept(self) -> int:
        """Bytes per element from the forward to the backward pass, with those that are alive anyway."""
        return sum(self.sizes)

    @property
    def lost_to(self) -> Arm | None:
        """The arm that it is slower than, where by its time over the leader's it may be as fast; otherwise None."""
        return self.place.slower_than if self.place and self.place.ratio.contains(1.0) else None

    @property
    def arm(self) -> Arm:
        """The arm of the race."""
        return Arm(self.case.strategy, self.case.backend)


@dataclass(frozen=True)
class Recommendation:
    """The outcome of a race."""

    candidates: tuple[Candidate, ...]
    """In the order of tables."""
    margin: float
    """The share of the fastest one's time that makes no difference."""
    alive: tuple[str, ...] = ("y",)
    """The arrays that the network holds whatever the strategy."""
    looked_at: str = ""
    """Where the z lie at which errors were looked for: ``on -8 to 8``."""
    unexamined: tuple[Case, ...] = ()
    """The cases whose g' could not be looked at, so that they are no candidates."""

    @cached_property
    def racing(self) -> tuple[Candidate, ...]:
        """Those that meet the bounds and were timed, the one that leads first, then by their time over its."""
        timed = [
            (one.place.standing is not Standing.LEADS, one.place.ratio.value, one)
            for one in self.candidates
            if one.place
        ]
        return tuple(one for *_, one in sorted(timed, key=itemgetter(0, 1)))

    @cached_property
    def ruled_out(self) -> tuple[Candidate, ...]:
        """Those that break a bound."""
        return tuple(one for one in self.candidates if one.ruled_out)

    @property
    def unknown(self) -> tuple[Case, ...]:
        """The cases that break no bound, and of whose time nothing is known.

        They failed, are not supported here, or lost to what failed.
        """
        candidates = (one.case for one in self.candidates if not one.place and not one.ruled_out)
        return *candidates, *self.unexamined

    @property
    def started(self) -> int:
        """The number of those that meet the bounds, whose comparisons hold together."""
        return len(self.candidates) - len(self.ruled_out)

    @cached_property
    def alike(self) -> tuple[Candidate, ...]:
        """The fastest one and its ties, the fastest first."""
        return self._at(Standing.LEADS, Standing.TIE)

    @cached_property
    def open(self) -> tuple[Candidate, ...]:
        """Those that are neither slower nor a tie."""
        return self._at(Standing.OPEN)

    @property
    def is_open(self) -> bool:
        """Whether more rounds are needed to decide it; not where every candidate is ruled out."""
        return bool(self.open) or (not self.racing and len(self.ruled_out) < len(self.candidates))

    @property
    def outcome(self) -> RaceEnd:
        """How the race ended."""
        if self.is_open:
            return RaceEnd.OPEN
        return RaceEnd.WINNER if len(self.alike) == 1 else RaceEnd.TIES

    @cached_property
    def choice(self) -> Candidate:
        """What is recommended; of an open race, the one that is ahead."""
        if self.is_open:
            return self.leader
        return min(self.alike, key=lambda one: (one.beside, one.kept, one.error.relative.size))

    @property
    def fewest_rounds(self) -> int:
        """The number of rounds before which nothing can be shown."""
        return fewest_rounds(self.started)

    @property
    def rounds(self) -> int:
        """The number of rounds of the fastest one."""
        return self.leader.place.rounds if self.leader.place else 0

    @property
    def is_too_early(self) -> bool:
        """Whether there are too few rounds to show anything."""
        return self.rounds < self.fewest_rounds

    @property
    def rounds_needed(self) -> int | None:
        """The number of rounds, those that there are included, that would decide an open race; None for very many."""
        if self.is_too_early:
            return self.fewest_rounds
        needs = [rounds_to_decide(one.place, self.started) for one in self.open if one.place]
        known = [need for need in needs if need is not None]
        return max(known) if known and len(known) == len(needs) else None

    @property
    def leader(self) -> Candidate:
        """The fastest one."""
        return self.racing[0]

    def _at(self, *standings: Standing) -> tuple[Candidate, ...]:
        return tuple(one for one in self.racing if one.place and one.place.standing in standings)
