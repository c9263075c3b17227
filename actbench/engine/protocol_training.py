"""The requests about training steps, and their answers: a part of the protocol (`actbench.engine.protocol`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actbench.engine.wire import Request
from actbench.model.checks import StepCheck
from actbench.model.inputs import Inputs
from actbench.model.training import Optimizer
from actbench.planning.selection import Room

if TYPE_CHECKING:
    from actbench.planning.training import TrainingSelection


OF_SELECTION = (
    *("networks", "activations", "strategies", "backends", "dtypes", "batches"),
    *("optimizer", "inputs", "pattern"),
)
"""The fields of a `TrainingSelection` that decide which steps there are."""


@dataclass(frozen=True, slots=True)
class OfferedSteps:
    """The ids of the training steps that exist in the process's environment."""

    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferSteps(Request[OfferedSteps]):
    """List the requested training steps that exist here; the fields are those of a `TrainingSelection`, as text."""

    networks: tuple[str, ...]
    activations: tuple[str, ...]
    strategies: tuple[str, ...]
    backends: tuple[str, ...]
    dtypes: tuple[str, ...]
    batches: tuple[int, ...]
    optimizer: Optimizer
    inputs: Inputs
    pattern: str
    room: Room

    @classmethod
    def of(cls, selection: TrainingSelection, room: Room) -> OfferSteps:
        """Return the request for a selection, in so much memory; the names in place of its globs are those here."""
        selection = selection.expanded()
        values = {name: getattr(selection, name) for name in OF_SELECTION}
        return cls(**values | {"strategies": tuple(map(str, selection.strategies))}, room=room)


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """What was found of a training step."""

    check: StepCheck | None
    """None where it is wrong."""
    fault: str = ""
    """What is wrong with it."""
    network: str = ""
    """The digest of the network's layers as this process builds them."""


@dataclass(frozen=True, slots=True)
class CheckStep(Request[CheckedStep]):
    """Hold the gradients of a training step to a reference, and count what it keeps; an error where they are wrong."""

    case: str
    seed: int
    inputs: Inputs
    optimizer: Optimizer
