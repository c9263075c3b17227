"""What happens while measuring, in order: written to the run, and shown as progress."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.model.calibration import Calibration
from actbench.model.checks import Check
from actbench.model.outcomes import BlockTimes, Failure


@dataclass(frozen=True, slots=True)
class Checked:
    """A kernel was found to be right, as far as declared."""

    check: Check
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A block's loops are fixed."""

    block: str
    calibration: Calibration
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A block was measured in a round, and is among the run's times."""

    times: BlockTimes
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Disturbed:
    """All of a block was slower than in other rounds; it is measured again."""

    block: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A block failed."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Lost:
    """A block lost its worker, and is tried again."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Recovered:
    """A block that failed in an earlier session is now complete."""

    block: str


@dataclass(frozen=True, slots=True)
class RoundDone:
    """A round is complete."""

    round: int
    widest: float
    """Half the width of the widest interval of a speedup, relative; inf before there are intervals."""
    where: str
    """Which speedup that is."""
    elapsed: float
    """Seconds since the start."""
    left: float | None
    """Seconds that the rounds still to come may take at most; None when that is not known."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A round of a check is complete, and its cases were judged."""

    round: int
    undecided: int
    cases: int
    left: float
    """Seconds that the check may still take at most."""


@dataclass(frozen=True, slots=True)
class Confirming:
    """These cases seem to have regressed, and are measured again, whatever the budget."""

    cases: tuple[str, ...]
    rounds: int
    """As many as that may take beyond the budget."""
    seconds: float
    """What these take, by the rounds measured so far."""


Event = Checked | Calibrated | Measured | Disturbed | Failed | Lost | Recovered | RoundDone | Judged | Confirming
