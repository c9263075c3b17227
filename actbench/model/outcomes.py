"""What comes of a block in a round: times, or a failure."""

from __future__ import annotations

from dataclasses import dataclass, field

from actbench.model.cases import Block


@dataclass(frozen=True, slots=True)
class Failure:
    """A block that is not measured any more, since when, and the worker's last words."""

    block: str
    round: int
    reason: str


@dataclass(frozen=True, slots=True)
class BlockTimes:
    """One block, one round: seconds per call, by arm (the yardstick last), then by value; slow arms have fewer."""

    block: Block
    round: int
    seconds: tuple[tuple[float, ...], ...] = field(repr=False)
    processor: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    """As many numbers: the share of its wall time that the process had the processor; 0 where that is not known.

    Where it is below 1, the seconds are processor time. Nothing at all where none is known."""
