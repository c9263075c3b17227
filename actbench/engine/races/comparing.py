"""The stopping rule of a comparison with frameworks: it ends where none of their own activations is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actbench.engine.stopping import BlockProgress, Stopping
from actbench.errors import InputError
from actbench.model.cases import Block
from actbench.model.plan import LeftOut
from actbench.model.times import Times
from actbench.model.training import SHIPPED


class NoFrameworkError(InputError):
    """No framework's own activation is left to compare with."""

    def __init__(self) -> None:
        """Name what is missing."""
        super().__init__("no framework's own activation is left to compare with")


@dataclass(frozen=True, slots=True)
class ComparingFrameworks:
    """The stopping rule of a run, for blocks that have such activations. Times in seconds."""

    rule: Stopping

    def enough(self, done: int, widest: float, elapsed: float, next_round: float) -> bool:
        """Return whether to stop after `done` rounds; `next_round` is the duration of another round."""
        return self.rule.enough(done, widest, elapsed, next_round)

    def worthwhile(
        self, done: int, progress: Mapping[Block, BlockProgress], elapsed: float, starting: float = 0.0
    ) -> list[Block]:
        """Return the blocks that take part in the next round; `NoFrameworkError` where it would compare nothing."""
        if progress and not any(arm.strategy == SHIPPED for block in progress for arm in block.arms):
            raise NoFrameworkError
        return self.rule.worthwhile(done, progress, elapsed, starting)

    def left(self, done: int, elapsed: float, next_round: float) -> float | None:
        """Return the largest number of seconds that may be left; None where only the target ends the run."""
        return self.rule.left(done, elapsed, next_round)

    def dropped(self, times: Times) -> list[LeftOut]:
        """Return no case: all take part as long as their block does."""
        return self.rule.dropped(times)
