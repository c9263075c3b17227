"""Speedups: paired ratios inside a block, reference seconds over candidate seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.statistics import location, scatter
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


def log_ratios(seconds: NDArray[np.float64], reference: int, candidate: int) -> NDArray[np.float64]:
    """Return one log ratio a round: the median over its values of the paired log ratio.

    `seconds` is rounds x arms x values, NaN where an arm has fewer values. Where one arm has fewer than the other, it
    is the ratio of their medians: pairs would leave most values of the faster arm unused.
    """
    logs = np.log(seconds[:, reference]), np.log(seconds[:, candidate])
    paired = np.nanmedian(logs[0] - logs[1], axis=-1)
    medians = np.nanmedian(logs[0], axis=-1) - np.nanmedian(logs[1], axis=-1)
    as_many = [np.sum(~np.isnan(arm), axis=-1) for arm in logs]
    return np.asarray(np.where(as_many[0] == as_many[1], paired, medians))


def speedups(times: Times, block: Block) -> Iterator[Speedup]:
    """Yield the speedups of a block."""
    chosen = pairs(block)
    if not chosen:
        return
    seconds = times.seconds(block)
    ratios = np.stack([log_ratios(seconds, reference, candidate) for reference, candidate in chosen])
    bounds = np.exp(np.stack(location(ratios), axis=-1))
    cases = block.cases
    scatters = scatter(ratios).tolist()
    for (reference, candidate), (ratio, low, high), spread in zip(chosen, bounds.tolist(), scatters, strict=True):
        yield Speedup(cases[reference], cases[candidate], ratio, low, high, len(seconds), spread)


def widest(times: Times, blocks: Iterable[Block]) -> Speedup | None:
    """Return the speedup with the widest interval in these blocks; None when nothing is compared."""
    every = (speedup for block in blocks if times.rounds(block) for speedup in speedups(times, block))
    return max(every, key=lambda speedup: speedup.half_width, default=None)
