"""The bottleneck of a case: dispatch, allocation, compute or memory, by a rule that users can check.

In every round each case is also timed on one element, whose time is all fixed cost, and on `IN_CACHE_SIZE` elements,
which lie in the caches next to the processor (`Plan.probes`). Let T be the time of the case, F that of one element, and
C the time that the elements of the case would take at the rate of those in cache, without F. The bottleneck is:

1. **dispatch** where F is half of T or more;
2. **memory** where a plain copy would take half of T or more to move the operands, without the fixed cost of its own
   call; this rule holds only where that fixed cost is at most two thirds of the copy's time, since its variance would
   otherwise pass for moving;
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

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from actbench.analysis.interval import NO_ESTIMATE, Interval
from actbench.analysis.shares import trusted
from actbench.analysis.speedups import Ratios
from actbench.analysis.statistics import Floats, hodges_lehmann_rows, medians
from actbench.model.cases import Block, Case
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
    """The time of a plain copy of the operands, without its fixed cost, over that of the case."""
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
    times: Times, middles: Mapping[Block, Floats], ratios: Mapping[Block, Ratios], moved: Callable[[Case], float]
) -> dict[Case, Parts]:
    """Return the parts of every case that was probed; `moved` gives the bytes of a case relative to those of its copy.

    `middles` are the `medians_per_round`. Training steps are left out: a batch of one row is no probe of a larger one,
    and their parts are timed one by one.
    """
    probes = _Probes(times, middles)
    cases, samples = [], []
    for block in (block for block in times.blocks if not block.op.network):
        for case, rows in probes.samples(block, ratios[block], moved):
            cases.append((case, len(rows)))
            samples.append(rows)
    intervals = map(Interval._make, hodges_lehmann_rows(samples).tolist())
    return {case: Parts(*(next(intervals) for _ in range(count))) for case, count in cases}


class _Probes:
    """The times of the probes: medians by round."""

    def __init__(self, times: Times, middles: Mapping[Block, Floats]) -> None:
        self._times = times
        self._by_id = {block.id: block for block in (*times.blocks, *times.probes)}
        self._middles = {**middles, **{probe: medians(times.seconds(probe)) for probe in times.probes}}
        self._trusted = {block: trusted(times, block) for block in self._by_id.values()}

    def samples(self, block: Block, ratios: Ratios, moved: Callable[[Case], float]) -> Iterator[tuple[Case, Floats]]:
        """Yield the ratios of each case of a block, by round: the first fields of `Parts`, or all of them."""
        single, cached = (self._by_id.get(block.family_at(size).id) for size in (1, IN_CACHE_SIZE))
        if single is None or (block.size > IN_CACHE_SIZE and cached is None):
            return
        used = [block, single] + ([cached] if cached is not None and block.size > IN_CACHE_SIZE else [])
        numbers = sorted(set.intersection(*({*self._times.rounds(measured)} for measured in used)))
        if not numbers:
            return
        rows = [np.searchsorted(self._times.rounds(measured), numbers) for measured in used]
        of_block, of_single, *of_cached = (
            self._middles[measured][places_of_rounds].T for measured, places_of_rounds in zip(used, rows, strict=True)
        )
        copies = np.exp(ratios.copies[:, rows[0]])
        for arm, case in enumerate(block.cases):
            places = [
                measured.arms.index(block.arms[arm]) if block.arms[arm] in measured.arms else -1 for measured in used
            ]
            if not all(
                place >= 0 and self._trusted[measured][place] for measured, place in zip(used, places, strict=True)
            ):
                continue
            seconds, call = of_block[arm], of_single[places[1]]
            copy_call = of_single[single.yardstick_of(case)] / of_block[block.yardstick_of(case)]
            fields = [call / seconds, moved(case) * copies[arm] * (1 - copy_call), copy_call]
            for in_cache in of_cached:
                fields += _beyond_cache(case.size, seconds, call, in_cache[places[2]])
            yield case, np.array(fields)


def _beyond_cache(size: int, seconds: Floats, call: Floats, in_cache: Floats) -> list[Floats]:
    """Return the fields of `Parts` for arrays larger than `IN_CACHE_SIZE`, by round.

    In a round where elements in cache took no time, the ratio `slowed` is inf.
    """
    elements, rate = seconds - call, np.maximum(in_cache - call, 0) * size / IN_CACHE_SIZE
    with np.errstate(divide="ignore", invalid="ignore"):
        slowed = np.where(rate > 0, elements / rate, np.inf)
    return [call / in_cache, np.clip(elements, 0, rate) / seconds, (elements - rate) / seconds, slowed]
