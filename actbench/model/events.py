"""Events while measuring, in order: they are written to the run, and shown as progress."""

from __future__ import annotations

from dataclasses import dataclass

from actbench.model.calibration import Calibration
from actbench.model.checks import Check, StepCheck
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.plan import LeftOut


@dataclass(frozen=True, slots=True)
class Checked:
    """A kernel passed its check."""

    check: Check
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StepChecked:
    """A training step passed its check."""

    check: StepCheck
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CasesLeftOut:
    """Cases are left out from now on, with what was measured of them."""

    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Kernels turned out to be wrong, which ends the run: what was measured in these blocks is of wrong code."""

    blocks: tuple[str, ...]
    """The ids of all blocks that time one of them."""
    reason: str


@dataclass(frozen=True, slots=True)
class PartsTimed:
    """The parts of the training steps of a block were timed in a round."""

    block: str
    round: int
    seconds: tuple[tuple[float, ...], ...]
    """By arm, then by `actbench.model.training.StepPart`; empty for an arm whose step has no parts to time."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A block's loops are fixed."""

    block: str
    calibration: Calibration
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A block was measured in a round, and added to the run's times."""

    times: BlockTimes
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A block was slower as a whole than in other rounds; it is measured again."""

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
    """The speedup with that interval."""
    elapsed: float
    """Seconds since the start."""
    left: float | None
    """Largest number of seconds for the remaining rounds; None where it is unknown."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A round of a check is complete, and its cases were judged."""

    round: int
    undecided: int
    cases: int
    left: float
    """Largest number of seconds for the rest of the check."""


@dataclass(frozen=True, slots=True)
class Confirming:
    """These cases are suspected of a regression, and are measured again, on top of the budget."""

    cases: tuple[str, ...]
    rounds: int
    """Largest number of rounds beyond the budget."""
    seconds: float
    """Predicted duration of these rounds."""


Event = (
    Checked
    | StepChecked
    | CasesLeftOut
    | Withdrawn
    | Calibrated
    | PartsTimed
    | Measured
    | Disturbed
    | Failed
    | Lost
    | Recovered
    | RoundDone
    | Judged
    | Confirming
)
