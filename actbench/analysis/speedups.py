"""Speedups: paired ratios inside a block, reference seconds over candidate seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import applied, locations, paired, scatter
from actbench.model.cases import Block, Case
from actbench.model.times import Times


class Speedup(NamedTuple):
    """How many times faster the candidate is than the reference; below 1 it is slower.

    `low` and `high` bound the 95 % interval; NaN where there are too few rounds for one.
    """

    reference: Case
    candidate: Case
    ratio: float
    low: float
    high: float
    rounds: int
    scatter: float
    """Robust standard deviation of the logarithm over rounds."""

    @property
    def half_width(self) -> float:
        """The larger distance from the ratio to its bounds, relative to the ratio; inf without an interval."""
        if isnan(self.low):
            return float("inf")
        return max(self.high - self.ratio, self.ratio - self.low) / self.ratio


def pairs(block: Block) -> tuple[tuple[int, int], ...]:
    """Return the arms to compare, (reference, candidate): any two strategies of a backend, backends of a strategy."""
    return tuple(
        (first, second)
        for (first, one), (second, other) in combinations(enumerate(block.arms), 2)
        if one.backend == other.backend or one.strategy == other.strategy
    )


def columns(chosen: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return the references and the candidates of these pairs."""
    return [first for first, _ in chosen], [second for _, second in chosen]


def log_ratios(
    seconds: NDArray[np.float64], reference: int | Sequence[int], candidate: int | Sequence[int]
) -> NDArray[np.float64]:
    """Return one log ratio a round: the median over its values of the paired log ratio.

    `seconds` is rounds x arms x values, NaN where an arm has fewer values. For several arms it is arms x rounds.
    """
    by_arm = np.log(seconds).swapaxes(0, 1)
    return paired(by_arm[reference], by_arm[candidate])


@dataclass(frozen=True, slots=True)
class Ratios:
    """The log ratios of a block, before anything is made of them."""

    pairs: tuple[tuple[int, int], ...]
    logs: NDArray[np.float64]
    """Pairs x rounds."""
    copies: NDArray[np.float64]
    """Arms x rounds: a plain copy over each arm, the yardsticks too."""


def ratios(times: Times, blocks: Iterable[Block]) -> dict[Block, Ratios]:
    """Return the log ratios of all pairs and of copies, block by block."""
    found = {}
    for block in blocks:
        chosen = pairs(block)
        copies = [(block.yardstick_of(case), arm) for arm, case in enumerate(block.timed)]
        logs = log_ratios(times.seconds(block), *columns([*chosen, *copies]))
        found[block] = Ratios(chosen, logs[: len(chosen)], logs[len(chosen) :])
    return found


def speedups(found: Mapping[Block, Ratios]) -> Iterator[Speedup]:
    """Yield the speedups of these blocks."""
    samples = [own.logs for own in found.values()]
    bounds = iter(np.exp(locations(samples)).tolist())
    scatters = iter(applied(samples, scatter).tolist())
    for block, own in found.items():
        cases, rounds = block.cases, own.logs.shape[-1]
        for reference, candidate in own.pairs:
            ratio, low, high = next(bounds)
            yield Speedup(cases[reference], cases[candidate], ratio, low, high, rounds, next(scatters))


def block_speedups(times: Times, block: Block) -> Iterator[Speedup]:
    """Yield the speedups of a block."""
    return speedups(ratios(times, [block]))


def widest(times: Times, blocks: Iterable[Block]) -> Speedup | None:
    """Return the speedup with the widest interval in these blocks; None when nothing is compared."""
    every = speedups(ratios(times, filter(times.rounds, blocks)))
    return max(every, key=lambda speedup: speedup.half_width, default=None)
