"""The order in which blocks and arms are timed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import count

from actbench.kernels.placement import PHASES
from actbench.model.cases import Block
from actbench.model.names import OperandState


def from_small_to_large(block: Block) -> tuple[bool, int]:
    """Return the key that sorts the blocks of a round: large arrays, and sets of cold ones, alter the allocator."""
    return block.operands is not OperandState.WARM, block.size * block.dtype.itemsize


def turns(sides: int, rng: random.Random) -> Iterator[tuple[int, ...]]:
    """Yield, without end, the order in which sides take turns: shuffled, then mirrored, then shuffled again."""
    while True:
        shuffled = rng.sample(range(sides), sides)
        yield tuple(shuffled)
        yield tuple(shuffled[::-1])


def order(
    arms: Sequence[int], slices: int, rng: random.Random, libraries: Sequence[str] | None = None
) -> list[tuple[int, int]]:
    """Return the slices of one value in order, (arm, phase): shuffled and mirrored pairwise (A B B A, B A A B).

    Mirroring cancels a linear drift; shuffling keeps any arm from always following the same other one. From slice to
    slice an arm goes through the phases, starting at a random one. With `libraries`, by arm, those of one library come
    one after the other.
    """
    sequence: list[int] = []
    for _ in range(slices // 2):
        shuffled = rng.sample(arms, len(arms))
        if libraries:
            first = [libraries[arm] for arm in shuffled]
            shuffled.sort(key=lambda arm: first.index(libraries[arm]))
        sequence += shuffled + shuffled[::-1]
    phases = {arm: count(rng.randrange(PHASES)) for arm in arms}
    return [(arm, next(phases[arm]) % PHASES) for arm in sequence]
