"""The stopping rule: every speedup's interval meets the target, or the budget is spent.

After the first rounds, which have all blocks, the time of a budget goes where it narrows intervals most. The rate of a
block is the width by which one more round narrows its intervals, over the duration of its round. A block takes part in
a round if its rate is at least that of the round without it, whose duration includes the start of a worker. Since each
round narrows the intervals less than the one before, the number of rounds of a block becomes proportional to the power
2/3 of the standard deviation over the duration of a round: blocks with wide intervals and short rounds have more
rounds, but a block whose intervals never meet the target does not take the time of all others.

Stopping as soon as an interval is narrow looks at the data more than once. For intervals of fixed relative width this
is consistent (Y. S. Chow and H. Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for
the mean", Annals of Mathematical Statistics 36, 1965). In simulations with the interval used here, from six rounds on,
95 % intervals contain the truth 93 to 95 % of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import TypeVar

from actbench.analysis.speedups import Speedup
from actbench.analysis.statistics import MIN_ROUNDS

K = TypeVar("K")

HALF_WIDTH = 2.0
"""The approximate half width of an interval, in standard deviations over the square root of the number of rounds."""


@dataclass(frozen=True, slots=True)
class BlockProgress:
    """The progress of a block."""

    rounds: int
    speedups: tuple[Speedup, ...]
    round_seconds: float
    """Duration of a round of the block."""

    def narrowing(self, target: float) -> float:
        """Return by how much one more round should narrow the intervals that are too wide: the median of half widths.

        It is 0 where all intervals meet the target. The prediction uses the standard deviation over rounds, not the
        intervals: among few rounds, a disturbed one makes the intervals much too wide, and a few more rounds make it
        harmless. Where that predicts less than the target, the half width counts as the target.
        """
        wide = [speedup.log_deviation for speedup in self.speedups if speedup.half_width > target]
        if not wide:
            return 0.0
        half_width = max(HALF_WIDTH * median(wide) / sqrt(self.rounds), target)
        return half_width * (1 - sqrt(self.rounds / (self.rounds + 1)))


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
        narrowing = {key: block.narrowing(self.target) for key, block in progress.items() if block.rounds >= MIN_ROUNDS}
        wide = [key for key, width in narrowing.items() if width > 0]
        if self.budget is not None:
            wide = _fastest(wide, narrowing, progress, self.budget - elapsed, starting)
        return [key for key, block in progress.items() if block.rounds < MIN_ROUNDS or key in wide]

    def left(self, done: int, elapsed: float, next_round: float) -> float | None:
        """Return the largest number of seconds that may be left; None where only the target ends the run."""
        by_time = None if self.budget is None else max(self.budget - elapsed, 0.0)
        if self.rounds is None:
            return None if by_time is None else max(by_time, (self.min_rounds - done) * next_round)
        by_rounds = (self.rounds - done) * next_round
        return by_rounds if by_time is None else min(by_rounds, by_time)


def _fastest(
    wide: Sequence[K], narrowing: Mapping[K, float], progress: Mapping[K, BlockProgress], left: float, starting: float
) -> list[K]:
    """Return the blocks whose round narrows intervals fastest, among those that take no longer than is left."""
    ranked = sorted(wide, key=lambda key: progress[key].round_seconds / narrowing[key])
    taking_part, width, duration = ranked[:0], 0.0, starting
    for key in ranked:
        seconds = progress[key].round_seconds
        if narrowing[key] * duration < width * seconds:
            break
        if duration + seconds <= left:
            taking_part.append(key)
            width, duration = width + narrowing[key], duration + seconds
    return taking_part or ranked[:1]
