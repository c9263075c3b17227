"""The requests of the commands that measure, as the command line makes them. Times in seconds, shares as fractions.

None means that the user did not specify a value.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from actbench.analysis.regression import Margins
from actbench.engine.planned_elsewhere import PlannedElsewhere
from actbench.model.inputs import Inputs
from actbench.model.names import Quantity
from actbench.model.sizes import Size
from actbench.model.variants import Variant
from actbench.planning import presets
from actbench.planning.selection import Selection
from actbench.planning.training import TrainingSelection
from actbench.runs.record import Engine

DEFAULT_TARGET = 0.02
"""Relative half width of an interval."""

DEFAULT_TIMEOUT = 60.0
"""Time limit of checking, compiling or timing a case, in seconds."""


PLANNING = frozenset({"preset", "seed", "engine", "max_call", *(axis.name for axis in fields(Selection))})
"""Options that decide what is measured, and must not change when a run is resumed."""


def chosen_seed(seed: int | None) -> int:
    """Return the user's seed, or one at random."""
    return secrets.randbits(32) if seed is None else seed


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrResumed:
    """What requests of runs have in common, new ones or resumed ones."""

    rounds: int | None = None
    """The exact number of rounds."""
    target: float | None = None
    """Relative half width that every speedup's interval should reach."""
    budget: float | None = None
    seed: int | None = None
    affinity: int | None = None
    """The processor to pin workers to."""
    threads: int | None = None
    """Number of threads; None where none was named: as many as processors, but one of a library of kernels."""
    timeout: float | None = None
    named: frozenset[str] = frozenset()
    """The options given on the command line itself, by the names of these fields and of the axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(NewOrResumed):
    """The request of ``actbench run``."""

    preset: str = presets.DEFAULT
    selection: Selection = field(default_factory=Selection)
    inputs: Inputs | None = None
    """The source of pre-activations."""
    engine: Engine | None = None
    max_call: float | None = None
    """Time limit of one call."""
    planned: PlannedElsewhere | None = None
    """A plan that was made before, in place of what selects cases; None where it is to be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest(NewOrResumed):
    """The request of ``actbench train``."""

    selection: TrainingSelection = field(default_factory=TrainingSelection)


def limits_of(request: NewOrResumed) -> dict[str, Any]:
    """Return what ends a run, and no more: its options that a run which goes on takes anew, None where none is."""
    return {name: getattr(request, name) for name in ("rounds", "target", "budget", "timeout")}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """The request of a live check, ``actbench check --against``."""

    against: str
    """An interpreter, a virtual environment, or ``git:REV``."""
    load_baseline: tuple[str, ...] = ()
    """The files that the baseline loads in place of those loaded here, or ``same``."""
    preset: str
    selection: Selection
    steps: TrainingSelection | None
    """Training steps to measure in place of derivatives."""
    margins: Margins
    budget: float | None
    seed: int | None
    inputs: Inputs | None
    affinity: int | None
    threads: int | None
    timeout: float | None
    max_call: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectRequest:
    """The request of ``actbench bisect``."""

    good: str
    """The revision before the slowdown."""
    bad: str
    """The revision after it."""
    check: CheckRequest
    """What is measured of every commit, against GOOD."""
    budget: float
    """Time limit of the whole."""
    resume: bool
    """Whether to go on with the evidence of an earlier bisect of the same question."""
    loaded_from: Mapping[str, str] = field(default_factory=dict)
    """By the name of a file of the user's code, the commit that it was loaded from, such as BAD 50e611d8faf8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckRequest:
    """The request of ``actbench selfcheck``."""

    preset: str
    selection: Selection
    margin: float
    """The allowed slowdown."""
    budget: float
    """Time limit of the audit."""
    check_budget: float | None
    """Time limit of the checks that the audit judges."""
    seed: int | None
    affinity: int | None
    threads: int | None
    timeout: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What every recommended strategy must meet; None where nothing is asked for."""

    max_error: float | None = None
    """The largest relative error of g', as a fraction of it, beyond what one rounding of z causes."""
    interval: tuple[float, float] = (-8.0, 8.0)
    """The z that it is looked for in, where no inputs are named."""
    max_ulp: float | None = None
    """The largest error there in units in the last place."""
    max_kept: float | None = None
    """Bytes per element that are kept beside what is alive anyway."""
    alive: frozenset[str] = frozenset({"y"})
    """The arrays that the network holds whatever the strategy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendRequest:
    """The request of ``actbench recommend``: one activation, or a table of many."""

    activations: tuple[str, ...]
    dtypes: tuple[str, ...]
    size: Size
    backends: tuple[str, ...]
    apart: bool
    """Whether there is a race for each backend; otherwise backends are compared as well."""
    strategies: tuple[Variant, ...]
    residual_dtypes: tuple[str, ...]
    ops: tuple[str, ...]
    operands: tuple[str, ...]
    may_be_warm: bool
    """Whether operands may be in cache where they cannot come from memory: the user has named no state."""
    within: str | None
    """The network in whose training step the race takes place; None where calls are timed alone."""
    batch: int
    """Rows, of a network."""
    bounds: Bounds
    margin: float
    """The share of the fastest one's time that makes no difference."""
    budget: float
    seed: int | None
    inputs: Inputs | None
    affinity: int | None
    threads: int | None
    timeout: float | None
    max_call: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyRequest:
    """The request of ``actbench accuracy``."""

    selection: Selection
    quantities: tuple[Quantity, ...]
    """What is compared with the truth: g', y, or both."""
    exact: bool
    """Whether residuals are correctly rounded; otherwise they are those of the forward pass."""
    points: int
    """Points per band of z and tail."""
    exhaustive: bool
    """Whether every finite float32 is evaluated."""
    seed: int
