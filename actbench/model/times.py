"""The raw measurements of a run: seconds per call by block, round, arm and value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actbench.model.cases import Block
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan


class Times:
    """Every finished block of every round: those of the plan, and the plan's probes."""

    def __init__(self, plan: Plan, finished: Iterable[BlockTimes] = ()) -> None:
        """Start with earlier measurements, if any; `plan` gives the blocks and their order."""
        self._plan = plan
        self._seconds: dict[Block, dict[int, NDArray[np.float64]]] = {
            block: {} for block in (*plan.blocks, *plan.probes)
        }
        self._processor: dict[Block, dict[int, NDArray[np.float64]]] = {block: {} for block in self._seconds}
        self._stacked: dict[Block, NDArray[np.float64]] = {}
        self._stacked_processor: dict[Block, NDArray[np.float64]] = {}
        for times in finished:
            self.add(times)

    def add(self, times: BlockTimes) -> None:
        """Add one block of one round, or replace it."""
        self._seconds[times.block][times.round] = _as_array(times.seconds)
        self._processor[times.block].pop(times.round, None)
        if times.processor:
            self._processor[times.block][times.round] = _as_array(times.processor)
        self._stacked.pop(times.block, None)
        self._stacked_processor.pop(times.block, None)

    def put(
        self,
        block: Block,
        rounds: Sequence[int],
        seconds: NDArray[np.float64],
        processor: NDArray[np.float64] | None = None,
    ) -> None:
        """Set all rounds of a block, by ascending number: arrays as `seconds` returns them, read-only from now on."""
        self._seconds[block] = dict(zip(rounds, seconds, strict=True))
        self._processor[block] = {} if processor is None else dict(zip(rounds, processor, strict=True))
        self._stacked[block] = seconds
        self._stacked_processor.pop(block, None)
        if processor is not None:
            self._stacked_processor[block] = processor
            processor.flags.writeable = False
        seconds.flags.writeable = False

    def leave_out(self, plan: Plan) -> None:
        """Go on with a smaller plan, of which some arms are left out: without their times."""
        if plan == self._plan:
            return
        larger, seconds, shares = self._plan, self._seconds, self._processor
        places = plan.places_in(larger)
        self._plan, self._stacked, self._stacked_processor = plan, {}, {}
        self._seconds, self._processor = (
            {
                block: _of_arms(before[larger.by_id[name]], places[name]) if name in places else {}
                for name, block in plan.by_id.items()
            }
            for before in (seconds, shares)
        )

    def withdraw(self, names: Collection[str]) -> None:
        """Forget what was measured in these blocks and probes."""
        for block in self._seconds:
            if block.id in names:
                self._seconds[block], self._processor[block] = {}, {}
                self._stacked.pop(block, None)
                self._stacked_processor.pop(block, None)

    def of_blocks(self, keep: Callable[[Block], bool]) -> Times:
        """Return the times of some blocks only, without probes."""
        plan = replace(self._plan, blocks=tuple(filter(keep, self._plan.blocks)))
        return Times(plan, (times for times in self.finished() if keep(times.block)))

    @property
    def cache(self) -> int:
        """The capacity of the last-level cache, where the plan names it; otherwise 0."""
        return self._plan.cache

    @property
    def planned(self) -> tuple[Block, ...]:
        """The blocks of the plan, measured or not; no probes."""
        return self._plan.blocks

    @property
    def planned_probes(self) -> tuple[Block, ...]:
        """The probes of the plan, measured or not."""
        return self._plan.probes

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks that were measured at least once, in the order of the plan; no probes."""
        return tuple(block for block in self._plan.blocks if self._seconds[block])

    @property
    def probes(self) -> tuple[Block, ...]:
        """The probes that were measured at least once, in the order of the plan."""
        return tuple(block for block in self._plan.probes if self._seconds[block])

    @property
    def last_round(self) -> int:
        """The number of the latest round; 0 before there is one."""
        return max((number for rounds in self._seconds.values() for number in rounds), default=0)

    def rounds(self, block: Block) -> tuple[int, ...]:
        """Return the numbers of the rounds in which a block was measured."""
        return tuple(sorted(self._seconds[block]))

    def seconds(self, block: Block) -> NDArray[np.float64]:
        """Return seconds per call: rounds x arms (the yardstick last) x values; NaN where an arm has fewer values."""
        if block not in self._stacked:
            self._stacked[block] = _padded([self._seconds[block][number] for number in self.rounds(block)])
            self._stacked[block].flags.writeable = False
        return self._stacked[block]

    def processor(self, block: Block) -> NDArray[np.float64] | None:
        """Return the share of the processor in the shape of `seconds`; 0 where unknown, None where always unknown."""
        if block in self._stacked_processor:
            return self._stacked_processor[block]
        known = self._processor[block]
        if not known:
            return None
        unknown = np.where(np.isnan(self.seconds(block)), np.nan, 0.0)
        for index, number in enumerate(self.rounds(block)):
            if number in known:
                unknown[index, :, : known[number].shape[-1]] = known[number]
        return unknown

    def finished(self) -> Iterator[BlockTimes]:
        """Return every block of every round, by round; no probes."""
        return self._finished(self._plan.blocks)

    def probed(self) -> Iterator[BlockTimes]:
        """Return every probe of every round, by round."""
        return self._finished(self._plan.probes)

    def arrays(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, int, NDArray[np.float64]]]:
        """Yield the seconds of every round of these blocks, by round and then in their order: arms x values.

        These arrays are the same objects for as long as the block has the same times in that round.
        """
        blocks = [*blocks]
        for number in range(1, self.last_round + 1):
            for block in blocks:
                if number in self._seconds[block]:
                    yield block, number, self._seconds[block][number]

    def in_round(self, block: Block, number: int) -> BlockTimes:
        """Return the times of a block in a round in which it was measured; `KeyError` for any other."""
        shares = self._processor[block].get(number)
        return BlockTimes(
            block, number, _values(self._seconds[block][number]), () if shares is None else _values(shares)
        )

    def _finished(self, blocks: Sequence[Block]) -> Iterator[BlockTimes]:
        return (self.in_round(block, number) for block, number, _ in self.arrays(blocks))


def _of_arms(rounds: Mapping[int, NDArray[np.float64]], places: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    return {number: arms[places] for number, arms in rounds.items()}


def _padded(arrays: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Stack arrays that differ at most in the length of their last axis; NaN where one is shorter."""
    longest = max(array.shape[-1] for array in arrays)
    stacked = np.full((len(arrays), *arrays[0].shape[:-1], longest), np.nan)
    for row, array in zip(stacked, arrays, strict=True):
        row[..., : array.shape[-1]] = array
    return stacked


def _as_array(arms: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return arms x values; NaN where an arm has fewer."""
    return _padded([np.array(values, dtype=np.float64) for values in arms])


def _values(arms: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    if not np.isnan(arms).any():
        return tuple(map(tuple, arms.tolist()))
    return tuple(tuple(values[~np.isnan(values)].tolist()) for values in arms)
