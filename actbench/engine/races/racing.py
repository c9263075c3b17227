"""The stopping rule of races: until only ties are left in each, or the budget is spent.

Arms that have lost drop out, with the reason, while others of their race are open: their time is the others' then.
Those that lose in the round that decides stay, since nothing is measured afterwards. The rounds of earlier runs count
as rounds of the same races: the intervals hold at any time, so that it does not matter when measuring paused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import nan

import numpy as np

from actbench.analysis.races import BlockEvidence, LostPlace, Places, RaceId, races_in, with_lost
from actbench.analysis.standings import Place, Standing, is_decided, standings
from actbench.analysis.statistics import Floats
from actbench.engine.stopping import BlockProgress
from actbench.model.cases import Arm, Block, Case
from actbench.model.plan import LeftOut, LostRace
from actbench.model.times import Times

DECIDED = "earlier runs decide it"
"""Why a case is not measured."""


@dataclass(slots=True)
class Racing:
    """The rule for the blocks of a plan. Times in seconds."""

    margin: float
    """The share of the fastest arm's time that makes no difference."""
    budget: float
    apart: bool
    """Whether the backends of a block race apart."""
    comparisons: Mapping[RaceId, int]
    """The number of arms beside one at the start."""
    evidence: Mapping[str, BlockEvidence] = field(default_factory=dict)
    """What earlier runs say, by block."""
    places: Places = field(default_factory=dict)
    """What is known of each arm by now."""
    lost: dict[RaceId, dict[Arm, LostPlace]] = field(default_factory=dict)
    """Where those stood that have dropped out, by then."""
    decided: set[RaceId] = field(default_factory=set)
    """Those in which nothing is open: only ties are left, or no arm, since all of them failed in an earlier run."""
    prepared: float | None = None
    """When the first round began, in seconds from the start; None before that."""
    round_seconds: float = 0.0
    """Of another round of what is open."""

    @classmethod
    def of(
        cls,
        blocks: Iterable[Block],
        evidence: Mapping[str, BlockEvidence],
        margin: float,
        budget: float,
        *,
        apart: bool,
    ) -> Racing:
        """Return the rule for these blocks, which knows what earlier runs say about them."""
        blocks = [*blocks]
        races = {race: len(arms) - 1 for block in blocks for race, arms in races_in(block, apart=apart).items()}
        return cls(margin, budget, apart, races, evidence)

    def judge_evidence(self, blocks: Iterable[Block]) -> list[LeftOut]:
        """Judge the arms by earlier runs; return the cases that need not be measured."""
        return [left_out for block in blocks if block.id in self.evidence for left_out in self._by_evidence(block)]

    def enough(self, done: int, widest: float, elapsed: float, next_round: float) -> bool:
        """Return whether to stop after `done` rounds; `next_round` is the duration of another round."""
        del widest
        self.prepared = elapsed if self.prepared is None else self.prepared
        self.round_seconds = next_round
        return done > 0 and (self.all_decided or elapsed + next_round > self.budget)

    def worthwhile(
        self, done: int, progress: Mapping[Block, BlockProgress], elapsed: float, starting: float = 0.0
    ) -> list[Block]:
        """Return the blocks that take part in the next round: all that are open, or as many as the budget has time for.

        Those with the fewest rounds come first.
        """
        is_open = [block for block in progress if not self._is_decided(block)]
        left = self.budget - elapsed - starting
        if not done or sum(progress[block].round_seconds for block in is_open) <= left:
            return is_open
        fitting = []
        for block in sorted(is_open, key=lambda block: (progress[block].rounds, progress[block].round_seconds)):
            if progress[block].round_seconds <= left:
                fitting.append(block)
                left -= progress[block].round_seconds
        return fitting or is_open

    def seconds_of(self, rounds: int) -> float:
        """Return about how long a command takes that measures so many rounds of what is open."""
        return (self.prepared or 0.0) + rounds * self.round_seconds

    def left(self, done: int, elapsed: float, next_round: float) -> float | None:
        """Return the largest number of seconds that may be left."""
        del done, next_round
        return 0.0 if self.all_decided else max(self.budget - elapsed, 0.0)

    def dropped(self, times: Times) -> list[LeftOut]:
        """Judge the arms after a round; return those that drop out of the next ones."""
        return [
            left_out
            for block in times.blocks
            if not self._is_decided(block)
            for left_out in self._judged(block, self._seconds(block, times))
        ]

    @property
    def all_decided(self) -> bool:
        """Whether nothing is open."""
        return self.decided >= self.comparisons.keys()

    def _is_decided(self, block: Block) -> bool:
        return all(race in self.decided for race in races_in(block, apart=self.apart))

    def _by_evidence(self, block: Block) -> Iterator[LeftOut]:
        known = self.evidence[block.id]
        failed = [replace(known.failed[arm], case=case.id) for case, arm in _with_arms(block) if arm in known.failed]
        lost = [
            _left_out(case, known.lost[arm], known.codes.get(arm))
            for case, arm in _with_arms(block)
            if arm in known.lost
        ]
        yield from failed
        of_block = races_in(block, apart=self.apart)
        block = block.without({one.case for one in failed})
        remaining_races = races_in(block, apart=self.apart)
        self.decided |= of_block.keys() - remaining_races.keys()
        for race, arms in remaining_races.items():
            self.lost[race] = {arm: LostPlace.of(arm, known.lost[arm]) for arm in arms if arm in known.lost}
        remaining = block.without({one.case for one in lost})
        slower = [*self._judged(remaining, known.seconds)]
        if self._is_decided(block):
            yield from (LeftOut(case.id, DECIDED) for case in block.cases)
        else:
            yield from lost
            yield from slower

    def _seconds(self, block: Block, times: Times) -> Floats:
        """Return the seconds of the arms of a block, of earlier runs first."""
        now = times.seconds(block)[:, : len(block.arms)]
        known = self.evidence.get(block.id)
        return joined([known.seconds[:, [known.arms.index(arm) for arm in block.arms]], now]) if known else now

    def _judged(self, block: Block, seconds: Floats) -> Iterator[LeftOut]:
        """Judge the arms of each race by all rounds; yield what drops out of those that are open."""
        cases = {arm: case for case, arm in _with_arms(block)}
        for race, arms in races_in(block, apart=self.apart).items():
            if race in self.decided:
                continue
            columns = [block.arms.index(arm) for arm in arms]
            places = standings(arms, seconds[:, columns], self.margin, self.comparisons[race])
            lost = self.lost.setdefault(race, {})
            self.places[race] = with_lost(places, lost, self.margin)
            if is_decided(places):
                self.decided.add(race)
                continue
            leader = next(place.arm for place in places if place.standing is Standing.LEADS)
            slower = [place for place in places if place.standing is Standing.SLOWER]
            lost |= {place.arm: LostPlace(place, leader) for place in slower}
            codes = self.evidence[block.id].codes if block.id in self.evidence else {}
            for place in slower:
                yield _left_out(cases[place.arm], _lost(place, cases[leader]), codes.get(place.arm))


def joined(runs: Iterable[Floats]) -> Floats:
    """Return the rounds of several runs one after the other; NaN where one has fewer values a round than another."""
    arrays = [*runs]
    most = max(array.shape[-1] for array in arrays)
    widened = [np.pad(array, ((0, 0), (0, 0), (0, most - array.shape[-1])), constant_values=nan) for array in arrays]
    return np.concatenate(widened)


def _with_arms(block: Block) -> Iterator[tuple[Case, Arm]]:
    return zip(block.cases, block.arms, strict=True)


def _lost(place: Place, leader: Case) -> LostRace:
    return LostRace(leader.id, place.ratio, place.seconds, place.rounds)


def _left_out(case: Case, lost: LostRace, code: str | None) -> LeftOut:
    leader = Case.parse(lost.leader)
    value, low, high = lost.ratio
    reason = (
        f"it takes {value:.3g} ({low:.3g} to {high:.3g}) times as long as {leader.strategy} with {leader.backend}, as "
        f"{lost.rounds} rounds show"
    )
    return LeftOut(case.id, reason, lost=lost, code=code)
