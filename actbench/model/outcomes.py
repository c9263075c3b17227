"""The outcome of a block in a round: times, or a failure."""

from __future__ import annotations

from dataclasses import dataclass, field

from actbench.model.cases import Block
from actbench.model.public import public_reason

NOT_INSTALLED = "which is not installed"
"""The end of the reason of a failure for want of a library."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A block that is no longer measured: since which round, and the worker's last words."""

    block: str
    round: int
    reason: str

    def __post_init__(self) -> None:
        """Let the reason be one that may be recorded and shown: it may have words of the user's code."""
        object.__setattr__(self, "reason", public_reason(self.reason))


@dataclass(frozen=True, slots=True)
class BlockTimes:
    """One block, one round: seconds per call, by arm (the yardstick last), then by value; slow arms have fewer."""

    block: Block
    round: int
    seconds: tuple[tuple[float, ...], ...] = field(repr=False)
    processor: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    """The share of the wall time in which the process had the processor, in the shape of `seconds`; 0 where unknown.

    Where it is below 1, the seconds are processor time. Empty where no share is known."""
