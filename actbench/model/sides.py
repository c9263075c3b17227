"""The two sides of a check, as its reports name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actbench.model.loaded import Loaded


@dataclass(frozen=True, slots=True)
class Side:
    """What was measured on one side of a check."""

    what: str
    """A run, an interpreter, an environment or a revision, as the user named it."""
    revision: str | None = None
    """The commit, in full, marked where files differ from it; None where none is known."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of Python, actbench and libraries, by name; empty where nothing was measured."""
    loaded: tuple[Loaded, ...] = ()
    """The user's own code."""


@dataclass(frozen=True, slots=True)
class KeptOnSides:
    """The bytes kept from the forward to the backward pass: per element of a kernel, per step of training."""

    baseline: float
    candidate: float

    @property
    def grew(self) -> bool:
        """Whether the candidate keeps more."""
        return self.candidate > self.baseline
