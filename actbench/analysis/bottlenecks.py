"""The bottleneck of a case: dispatch, allocation, compute or memory, by a rule that users can check.

In every round each case is also timed on one element, whose time is all fixed cost, and on `IN_CACHE_SIZE` elements,
which lie in the caches next to the processor (`Plan.probes`). Let T be the time of the case, F that of one element, and
C the time that the elements of the case would take at the rate of those in cache, without F. The bottleneck is:

1. **dispatch** where F is half of T or more;
2. **memory** where the copy that bounds it (`actbench.analysis.copy_limits`) would take half of T or more to move the
   operands, without the fixed cost of its own call; this rule holds only where that fixed cost is at most two thirds of
   the copy's time, since its variance would otherwise pass for moving;
3. where T - F is `OUT_OF_CACHE` times C or more, in arrays larger than `IN_CACHE_SIZE`, the data have left the cache:
   **allocation** for a backend that allocates its results and temporaries, which must come from memory as well,
   **memory** for a backend that writes to preallocated arrays;
4. **compute** otherwise: arithmetic, or the interpreter, at the rate that it has in cache.

All of these are ratios of times of the same round, and hence of one process. A condition is decided where the whole
95 % interval over rounds lies on one side of its threshold. A bottleneck is named where every condition on the way to
it is decided, and hence never with fewer than six rounds. Where F is more than two thirds of the time of
`IN_CACHE_SIZE` elements, as with threads to wake or a device to wait for, C would amplify the variance of F; for larger
arrays, only the first two rules apply then. No bottleneck is named for a case whose share of the processor is unknown,
since the time of other processes would pass for memory.

A case whose operands are not warm is held against warm probes: F and C are what it would take in cache. The copy is
that of its block, with operands in the same state, and moves the operands that come from memory; the others take a
little time on top (`actbench.analysis.figures`). The third rule shows that data have left the cache, which cold ones
have in any case. A backend that allocates has no bottleneck then, since what it allocates and what it reads are not
told apart; nor has any backend in arrays of `IN_CACHE_SIZE` or fewer elements, to which the rule does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.copy_limits import CopyLimit
from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.statistics import Floats, hodges_lehmann_rows, medians
from actbench.model.cases import Arm, Block, Case
from actbench.model.plan import IN_CACHE_SIZE
from actbench.model.times import Times

DOMINANT_SHARE = 0.5

MOST_CALL = 2 / 3
"""Largest share of the fixed cost in a call at which the time of the elements stands out from its variance."""

OUT_OF_CACHE = 1.5


class Bottleneck(StrEnum):
    """The part of a case's time that must shrink for the case to get faster."""

    DISPATCH = "dispatch"
    ALLOCATION = "allocation"
    COMPUTE = "compute"
    MEMORY = "memory"


class Parts(NamedTuple):
    """The parts of a case's time: ratios, with their 95 % intervals over rounds."""

    call: Interval
    """The time of one element over that of the case."""
    moving: Interval
    """The time of the bounding copy of the operands, without its fixed cost, over that of the case."""
    copy_call: Interval
    """The copy's time for one element over its time for the size of the case."""
    call_in_cache: Interval = NO_ESTIMATE
    """The time of one element over that of `IN_CACHE_SIZE`. This and the following are for larger arrays only."""
    computing: Interval = NO_ESTIMATE
    """The time of the elements at the rate in cache, or their measured time where it is less, over the case's time."""
    beyond: Interval = NO_ESTIMATE
    """The time of the elements beyond that at the rate in cache, over the time of the case."""
    slowed: Interval = NO_ESTIMATE
    """The time of the elements over their time at the rate in cache."""

    @property
    def known(self) -> bool:
        """Whether there are enough rounds for intervals."""
        return self.call.has_bounds

    @property
    def hidden(self) -> bool | None:
        """Whether the fixed cost hides the time of the elements in cache; None where that is undecided."""
        return reaches(self.call_in_cache, MOST_CALL)

    @property
    def rate_tells(self) -> bool:
        """Whether the rate of the operands is one of moving: fixed costs dominate neither the case nor the copy."""
        return reaches(self.call, DOMINANT_SHARE) is False and reaches(self.copy_call, MOST_CALL) is False


def reaches(ratio: Interval, threshold: float) -> bool | None:
    """Return whether a ratio reaches the threshold; None where its interval includes both answers."""
    return True if ratio.low >= threshold else False if ratio.high < threshold else None


def bottleneck(size: int, parts: Parts, *, preallocates: bool, warm: bool = True) -> Bottleneck | None:
    """Return the bottleneck of a case of `size` elements; None where the rule names none, or intervals are too wide.

    `preallocates` is whether the backend writes its results to preallocated arrays, `warm` whether operands are warm.
    """
    dispatch, moving = reaches(parts.call, DOMINANT_SHARE), reaches(parts.moving, DOMINANT_SHARE)
    all_call = reaches(parts.copy_call, MOST_CALL)
    memory = False if moving is False or all_call is True else True if moving and all_call is False else None
    if dispatch or dispatch is None:
        return Bottleneck.DISPATCH if dispatch else None
    if memory or memory is None:
        return Bottleneck.MEMORY if memory else None
    if size <= IN_CACHE_SIZE:
        return Bottleneck.COMPUTE if warm else None
    slowed = reaches(parts.slowed, OUT_OF_CACHE) if parts.hidden is False else None
    if not slowed:
        return None if slowed is None else Bottleneck.COMPUTE
    if preallocates:
        return Bottleneck.MEMORY
    return Bottleneck.ALLOCATION if warm else None


def parts(
    times: Times,
    middles: Mapping[Block, Floats],
    limits: Mapping[Block, CopyLimit],
    processor: Mapping[Block, Floats],
    moved: Mapping[Block, Floats],
) -> dict[Case, Parts]:
    """Return the parts of every case that was probed; `moved` are the bytes of each arm relative to those of its copy.

    `middles` are the `medians_per_round`, and `processor` the `shares` of all blocks and probes. Training steps are
    left out: a batch of one row is no probe of a larger one, and their parts are timed one by one.
    """
    probes = _Probes(times, middles, processor)
    cases, samples = [], []
    for block in (block for block in limits if not block.op.network):
        for case, rows in probes.samples(block, limits[block], moved[block]):
            cases.append((case, len(rows)))
            samples.append(rows)
    intervals = iter(Interval.from_rows(hodges_lehmann_rows(samples)))
    return {case: Parts(*islice(intervals, count)) for case, count in cases}


class _Probe:
    """The medians of a block or a probe by round, and where its arms are."""

    def __init__(self, block: Block, rounds: tuple[int, ...], middles: Floats, processor: Floats) -> None:
        self.block, self.rounds = block, rounds
        self._middles = middles
        self._is_trusted = ~np.isnan(processor)

    def places(self, arms: tuple[Arm, ...]) -> NDArray[np.int64]:
        """Return the places of arms; -1 where one is missing, or its times include those of other processes."""
        here = self.block.arms
        places = np.arange(len(arms)) if arms == here else np.array([here.index(a) if a in here else -1 for a in arms])
        return np.where(self._is_trusted[places], places, -1)

    def rows(self, numbers: tuple[int, ...]) -> Floats:
        """Return the medians in some of the rounds, arms x rounds."""
        return self._middles[self.at(numbers)].T

    def at(self, numbers: tuple[int, ...]) -> slice | NDArray[np.int64]:
        """Return where some of the rounds are among all."""
        return slice(None) if numbers == self.rounds else np.searchsorted(self.rounds, numbers)

    def copies(self, cases: Sequence[Case], limit: CopyLimit) -> list[int]:
        """Return the places of the copies that bound cases."""
        if not self.block.copies:
            return [limit.of(self.block, cases[0])] * len(cases)
        return [limit.of(self.block, case) for case in cases]


class _Probes:
    """The times of blocks and of the probes that explain them."""

    def __init__(self, times: Times, middles: Mapping[Block, Floats], processor: Mapping[Block, Floats]) -> None:
        of_probes = {probe: medians(times.seconds(probe)) for probe in times.probes}
        self._by_id = {
            block.id: _Probe(block, times.rounds(block), of_block, processor[block])
            for block, of_block in chain(middles.items(), of_probes.items())
        }

    def samples(self, block: Block, limit: CopyLimit, moved: Floats) -> Iterator[tuple[Case, Floats]]:
        """Yield the ratios of each case of a block, by round: the first fields of `Parts`, or all of them."""
        beyond = block.size > IN_CACHE_SIZE
        ids = [block.id, *(block.family_at(size).id for size in (1, IN_CACHE_SIZE)[: 1 + beyond])]
        if not all(name in self._by_id for name in ids):
            return
        measured = this, single, *_ = [self._by_id[name] for name in ids]
        numbers = tuple(number for number in this.rounds if all(number in probe.rounds for probe in measured))
        of_arms = np.stack([probe.places(block.arms) for probe in measured])
        places, of_call, *in_cache = of_arms[:, np.all(of_arms >= 0, axis=0)]
        if not numbers or not places.size or not limit.is_in(single.block):
            return
        of_block, of_single, *of_cached = (probe.rows(numbers) for probe in measured)
        cases = [block.cases[place] for place in places.tolist()]
        seconds, call = of_block[places], of_single[of_call]
        copy_call = of_single[single.copies(cases, limit)] / of_block[this.copies(cases, limit)]
        copies = np.exp(limit.logs[places][:, this.at(numbers)])
        fields = [call / seconds, moved[places, np.newaxis] * copies * (1 - copy_call), copy_call]
        for cached, rows in zip(of_cached, in_cache, strict=True):
            fields += _beyond_cache(block.size, seconds, call, cached[rows])
        yield from zip(cases, np.array(fields).swapaxes(0, 1), strict=True)


def _beyond_cache(size: int, seconds: Floats, call: Floats, in_cache: Floats) -> list[Floats]:
    """Return the fields of `Parts` for arrays larger than `IN_CACHE_SIZE`, by arm and round.

    In a round where elements in cache took no time, the ratio `slowed` is inf.
    """
    elements, rate = seconds - call, np.maximum(in_cache - call, 0) * size / IN_CACHE_SIZE
    slowed = np.divide(elements, rate, out=np.full_like(rate, np.inf), where=rate > 0)
    computing = np.minimum(np.maximum(elements, 0), rate)
    return [call / in_cache, computing / seconds, (elements - rate) / seconds, slowed]
