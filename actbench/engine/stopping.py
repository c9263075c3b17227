"""The stopping rule: every speedup's interval meets the target, or the budget is spent.

After the first rounds, which have all blocks, the time of a budget is shared evenly among the blocks whose intervals
are too wide: one whose rounds are short has more of them. This narrows the intervals fastest, in the mean of their
logarithms: a round narrows those of a block with n rounds by about 1 / 2n of their width, however wide they are. No
block waits because it is far from the target, and none takes the time of the others because it never meets it. A round
has as many blocks as narrow intervals fastest, its start included. A probe that several of these blocks share is
measured once in a round: each of them is charged with its part of it, and what fits is what they take together.

Stopping as soon as an interval is narrow looks at the data more than once. For intervals of fixed relative width this
is consistent (Y. S. Chow and H. Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for
the mean", Annals of Mathematical Statistics 36, 1965). In simulations with the interval used here, from six rounds on,
95 % intervals contain the truth 93 to 95 % of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Protocol, TypeVar

from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS
from actbench.model.cases import Block
from actbench.model.plan import LeftOut
from actbench.model.times import Times

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class BlockProgress:
    """The progress of a block."""

    rounds: int
    speedups: tuple[Speedup, ...]
    round_seconds: float
    """Duration of a round of the block with its probes."""
    probes: Mapping[str, float] = field(default_factory=dict)
    """The durations of its probes, by their ids: blocks that take part in the same round share those of one id."""

    def is_wide(self, target: float) -> bool:
        """Return whether an interval exceeds the target."""
        return any(speedup.half_width > target for speedup in self.speedups)

    @property
    def narrowing(self) -> float:
        """The share of its width that an interval loses by one more round."""
        return 1 - sqrt(self.rounds / (self.rounds + 1))

    def shared_seconds(self, sharing: Mapping[str, int]) -> float:
        """Return `round_seconds`, of each probe only this block's part, by the number of blocks that share it."""
        return self.round_seconds - sum(seconds * (1 - 1 / sharing[probe]) for probe, seconds in self.probes.items())

    def further_seconds(self, measured: Collection[str]) -> float:
        """Return by how much it makes a round longer that has these probes already."""
        return self.round_seconds - sum(seconds for probe, seconds in self.probes.items() if probe in measured)


class StoppingRule(Protocol):
    """What decides which blocks and arms take part in another round, and whether there is one. Times in seconds."""

    def enough(self, done: int, widest: float, elapsed: float, next_round: float) -> bool:
        """Return whether to stop after `done` rounds; `next_round` is the duration of another round."""

    def worthwhile(
        self, done: int, progress: Mapping[Block, BlockProgress], elapsed: float, starting: float = 0.0
    ) -> list[Block]:
        """Return the blocks that take part in the next round; `starting` is its duration in addition to its blocks."""

    def left(self, done: int, elapsed: float, next_round: float) -> float | None:
        """Return the largest number of seconds that may be left; None where there is no such limit."""

    def dropped(self, times: Times) -> list[LeftOut]:
        """Return the cases that take part in no further round, after one."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The stopping rule. Times in seconds."""

    target: float
    """Relative half width that every speedup's interval must reach."""
    budget: float | None
    """The longest duration of the run; None for no limit."""
    rounds: int | None = None
    """The exact number of rounds, whatever the target; None to stop at the target."""
    min_rounds: int = MIN_ROUNDS
    """Number of rounds that are measured even beyond the budget."""

    def enough(self, done: int, widest: float, elapsed: float, next_round: float) -> bool:
        """Return whether to stop after `done` rounds; `next_round` is the duration of another round."""
        out_of_time = self.budget is not None and elapsed + next_round > self.budget
        if self.rounds is not None:
            return done >= self.rounds or (done > 0 and out_of_time)
        if done < self.min_rounds:
            return False
        return out_of_time or (done >= MIN_ROUNDS and widest <= self.target)

    def worthwhile(
        self, done: int, progress: Mapping[K, BlockProgress], elapsed: float, starting: float = 0.0
    ) -> list[K]:
        """Return the blocks that take part in the next round; `starting` is its duration in addition to its blocks.

        All blocks do where the number of rounds is fixed, and any block does until it has intervals. Afterwards a block
        is skipped once its intervals meet the target. With a budget, those of the others take part that together narrow
        intervals fastest, as far as they fit in the time left; at least one block does.
        """
        if self.rounds is not None or done < self.min_rounds:
            return list(progress)
        wide = [key for key, block in progress.items() if block.rounds >= MIN_ROUNDS and block.is_wide(self.target)]
        if self.budget is not None:
            wide = _fastest({key: progress[key] for key in wide}, self.budget - elapsed, starting)
        return [key for key, block in progress.items() if block.rounds < MIN_ROUNDS or key in wide]

    def left(self, done: int, elapsed: float, next_round: float) -> float | None:
        """Return the largest number of seconds that may be left; None where only the target ends the run."""
        by_time = None if self.budget is None else max(self.budget - elapsed, 0.0)
        if self.rounds is None:
            return None if by_time is None else max(by_time, (self.min_rounds - done) * next_round)
        by_rounds = (self.rounds - done) * next_round
        return by_rounds if by_time is None else min(by_rounds, by_time)

    def dropped(self, times: Times) -> list[LeftOut]:
        """Return no case: all take part as long as their block does."""
        del times
        return []


def _fastest(progress: Mapping[K, BlockProgress], left: float, starting: float) -> list[K]:
    """Return the blocks whose round narrows intervals fastest, among those that fit in the seconds that are left."""
    sharing = Counter(probe for block in progress.values() for probe in block.probes)
    charged = {key: block.shared_seconds(sharing) for key, block in progress.items()}
    ranked = sorted(progress, key=lambda key: charged[key] / progress[key].narrowing)
    taking_part, measured, narrowing, duration, charge = ranked[:0], set[str](), 0.0, starting, starting
    for key in ranked:
        block = progress[key]
        if block.narrowing * charge < narrowing * charged[key]:
            break
        further = block.further_seconds(measured)
        if duration + further <= left:
            taking_part.append(key)
            measured |= block.probes.keys()
            narrowing, duration, charge = narrowing + block.narrowing, duration + further, charge + charged[key]
    return taking_part or ranked[:1]
