"""Speedups: paired ratios inside a block, reference seconds over candidate seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import location, paired, scatter
from actbench.model import Block, Case
from actbench.runs.times import Times


@dataclass(frozen=True, slots=True)
class Speedup:
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
        if np.isnan(self.low):
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
    by_arm = seconds.swapaxes(0, 1)
    return paired(np.log(by_arm[reference]), np.log(by_arm[candidate]))


def speedups(times: Times, block: Block) -> Iterator[Speedup]:
    """Yield the speedups of a block."""
    chosen = pairs(block)
    if not chosen:
        return
    ratios = log_ratios(times.seconds(block), *columns(chosen))
    bounds = np.exp(np.stack(location(ratios), axis=-1))
    cases = block.cases
    scatters = scatter(ratios).tolist()
    for (reference, candidate), (ratio, low, high), spread in zip(chosen, bounds.tolist(), scatters, strict=True):
        yield Speedup(cases[reference], cases[candidate], ratio, low, high, ratios.shape[-1], spread)


def widest(times: Times, blocks: Iterable[Block]) -> Speedup | None:
    """Return the speedup with the widest interval in these blocks; None when nothing is compared."""
    every = (speedup for block in blocks if times.rounds(block) for speedup in speedups(times, block))
    return max(every, key=lambda speedup: speedup.half_width, default=None)
