"""The requests of the commands that measure, as the command line makes them. Times in seconds, shares as fractions.

None means that the user left it open.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from actbench.analysis.regression import Margins
from actbench.model.inputs import Inputs
from actbench.planning.selection import Selection
from actbench.runs.record import Engine

DEFAULT_TARGET = 0.02
"""Relative half width of an interval."""

DEFAULT_TIMEOUT = 60.0
"""What a block may take in a round."""


def chosen_seed(seed: int | None) -> int:
    """Return the user's seed, or one at random."""
    return secrets.randbits(32) if seed is None else seed


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What ``actbench run`` is to measure, in a new run or a resumed one."""

    preset: str
    selection: Selection
    rounds: int | None
    """Exactly so many."""
    target: float | None
    """Relative half width that every speedup's interval should reach."""
    budget: float | None
    seed: int | None
    inputs: Inputs | None
    """What pre-activations are drawn from."""
    engine: Engine | None
    affinity: int | None
    """The processor to pin workers to."""
    threads: int | None
    """Of the backends that have several."""
    timeout: float | None
    max_call: float | None
    """What one call may take."""
    named: frozenset[str]
    """The options that the command line itself gives, by the names of these fields and of the axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What a live check, ``actbench check --against``, is to compare."""

    against: str
    """An interpreter, a virtual environment, or ``git:REV``."""
    preset: str
    selection: Selection
    margins: Margins
    budget: float | None
    seed: int | None
    inputs: Inputs | None
    affinity: int | None
    threads: int | None
    timeout: float | None
    max_call: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckRequest:
    """What ``actbench selfcheck`` is to audit."""

    preset: str
    selection: Selection
    margin: float
    """What may get slower."""
    budget: float
    """What the audit may take."""
    check_budget: float | None
    """What the checks that it judges may take."""
    seed: int | None
    affinity: int | None
    threads: int | None
    timeout: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyRequest:
    """What ``actbench accuracy`` is to look at."""

    selection: Selection
    exact: bool
    """Whether what a strategy keeps is correctly rounded, and not what the forward pass gives."""
    points: int
    """A band of z and tail."""
    exhaustive: bool
    """Whether every finite float32 is evaluated."""
    seed: int
