"""Speedups: paired ratios inside a block, reference seconds over candidate seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.interval import Interval
from actbench.analysis.statistics import (
    Floats,
    apply_by_length,
    intervals_of_logs,
    mad_standard_deviation,
    median_differences,
)
from actbench.model.cases import Arm, Block, Case
from actbench.model.times import Times


class Speedup(NamedTuple):
    """How many times faster the candidate is than the reference; below 1 it is slower."""

    reference: Case
    candidate: Case
    ratio: Interval
    rounds: int
    log_deviation: float
    """The MAD standard deviation of the logarithm over rounds."""

    @property
    def half_width(self) -> float:
        """The longer side of the interval, relative to the ratio; inf without an interval."""
        return self.ratio.relative_half_width

    @property
    def is_between_strategies(self) -> bool:
        """Whether it is between two strategies of a backend, and not between rungs or backends."""
        return self.reference.backend == self.candidate.backend and self.candidate.is_derivative

    def swapped(self) -> Speedup:
        """Return the speedup of the reference over the candidate."""
        return self._replace(reference=self.candidate, candidate=self.reference, ratio=self.ratio.inverse())


def pairs(block: Block) -> tuple[tuple[int, int], ...]:
    """Return the arms to compare, (reference, candidate): strategies of a backend, and backends of a strategy."""
    return _pairs(block.arms)


@cache
def _pairs(arms: tuple[Arm, ...]) -> tuple[tuple[int, int], ...]:
    return tuple(
        (first, second)
        for (first, one), (second, other) in combinations(enumerate(arms), 2)
        if one.backend == other.backend or one.strategy == other.strategy
    )


def columns(index_pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return the references and the candidates of these pairs."""
    return [first for first, _ in index_pairs], [second for _, second in index_pairs]


def log_ratios(
    seconds: NDArray[np.float64], reference: int | Sequence[int], candidate: int | Sequence[int]
) -> NDArray[np.float64]:
    """Return one log ratio per round: the median over its values of the paired log ratio.

    `seconds` is rounds x arms x values, NaN where an arm has fewer values. The result is rounds for a pair of arms, and
    arms x rounds for several.
    """
    by_arm = np.log(seconds).swapaxes(0, 1)
    return median_differences(by_arm[reference], by_arm[candidate])


@dataclass(frozen=True, slots=True)
class Ratios:
    """The log ratios of a block, one per round."""

    pairs: tuple[tuple[int, int], ...]
    logs: NDArray[np.float64]
    """Pairs x rounds."""
    copies: NDArray[np.float64]
    """Arms x rounds: a plain copy over each arm, including the yardsticks."""


def ratios(times: Times, blocks: Iterable[Block]) -> dict[Block, Ratios]:
    """Return the log ratios of all pairs and of copies, block by block."""
    by_block = {}
    for block in blocks:
        compared = pairs(block)
        copies = [(block.yardstick_of(case), arm) for arm, case in enumerate(block.timed)]
        logs = log_ratios(times.seconds(block), *columns([*compared, *copies]))
        by_block[block] = Ratios(compared, logs[: len(compared)], logs[len(compared) :])
    return by_block


def speedups(by_block: Mapping[Block, Ratios]) -> Iterator[Speedup]:
    """Yield the speedups of these blocks."""
    samples = [ratios.logs for ratios in by_block.values()]
    intervals = iter(intervals_of_logs(samples))
    deviations = iter(apply_by_length(samples, mad_standard_deviation).tolist())
    for block, ratios in by_block.items():
        cases, rounds = block.cases, ratios.logs.shape[-1]
        for reference, candidate in ratios.pairs:
            yield Speedup(cases[reference], cases[candidate], next(intervals), rounds, next(deviations))


class KnownSpeedups:
    """The speedups of blocks, computed again only where a block has other times: engines ask after every round."""

    def __init__(self, times: Times) -> None:
        """Know none of these times yet."""
        self._times = times
        self._known: dict[Block, tuple[Floats, tuple[Speedup, ...]]] = {}

    def of(self, blocks: Iterable[Block]) -> dict[Block, tuple[Speedup, ...]]:
        """Return the speedups of these blocks; none of a block that was not measured."""
        arrays = {block: self._times.seconds(block) if self._times.rounds(block) else None for block in blocks}
        measured = {block: array for block, array in arrays.items() if array is not None}
        stale = [block for block, array in measured.items() if self._array_of(block) is not array]
        by_block = ratios(self._times, stale)
        computed = speedups(by_block)
        for block, of_block in by_block.items():
            self._known[block] = measured[block], tuple(islice(computed, len(of_block.pairs)))
        return {block: self._known[block][1] if block in measured else () for block in arrays}

    def widest(self, blocks: Iterable[Block]) -> Speedup | None:
        """Return the speedup with the widest interval in these blocks; None where nothing is compared."""
        of_all = chain.from_iterable(self.of(blocks).values())
        return max(of_all, key=lambda speedup: speedup.half_width, default=None)

    def _array_of(self, block: Block) -> Floats | None:
        """Return the times from which the speedups of a block were computed."""
        return self._known[block][0] if block in self._known else None
