"""run.json: what was planned, where, with which settings, and how it went."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from actbench.errors import InputError, damaged
from actbench.host.environment import Environment
from actbench.model.calibration import Calibration
from actbench.model.checks import Check
from actbench.model.loaded import Loaded
from actbench.model.outcomes import Failure
from actbench.model.plan import Plan
from actbench.runs import limits

SCHEMA = 2
"""Version of the files of a run.

1: first. 2: with digests of what was measured, by which damage is noticed.
"""


class Status(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    """A kernel was found to be wrong, and nothing was timed."""


class Engine(StrEnum):
    """How cases are timed."""

    INTERLEAVED = "interleaved"
    PYPERF = "pyperf"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user asked for beside the plan. Times in seconds."""

    preset: str
    engine: Engine
    target: float
    """Relative half width that every speedup's interval should reach."""
    budget: float | None
    rounds: int | None
    arm_seconds: float
    timeout: float
    threads: int = 1
    """Of the backends that have several, where the plan has one."""


@dataclass(slots=True)
class Record:
    """The contents of run.json; grows while measuring."""

    plan: Plan
    settings: Settings
    environment: Environment
    created: str
    """UTC, ISO 8601."""
    schema: int = SCHEMA
    status: Status = Status.RUNNING
    seconds: float = 0.0
    """Wall time spent, over all sessions of the run."""
    checks: list[Check] = field(default_factory=list)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    rounds: int = 0
    """The last round that was measured to its end."""
    repeats: int = 0
    """How often a block was measured again, because all of it was slower than in other rounds."""
    loaded: list[Loaded] = field(default_factory=list)
    """The user's own code, in the order in which it was loaded; files as they were named, but never a full path."""
    losses: list[Failure] = field(default_factory=list)
    """Every time that a block lost its worker, or failed, and went on."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    """What tells the run from all others, in 16 hexadecimal digits at random."""
    saves: int = 0
    """How often all files were written; the journal goes on from there."""
    digests: dict[str, dict[int, str]] = field(default_factory=dict)
    """By block and round, the digest of its rows in values.csv; of a probe, in probes.csv."""
    seal: str = ""
    """The digest of what was planned and measured, of the digests too; settings and host can be corrected by hand."""

    @property
    def probed(self) -> bool:
        """Whether the plan's probes are measured, which stock pyperf does without."""
        return any(block.id in self.calibrations for block in self.plan.probes)


class _Version(msgspec.Struct):
    schema: int


def encode(record: Record) -> bytes:
    """Return the record as indented JSON, sealed."""
    fields = msgspec.to_builtins(record, str_keys=True)
    record.seal = fields["seal"] = _seal(fields)
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def decode(data: bytes, path: Path) -> Record:
    """Read a record; `InputError` names `path` when it is damaged or of a schema that is not known here."""
    try:
        version = msgspec.json.decode(data, type=_Version).schema
        if version != SCHEMA:
            raise InputError(
                f"{path} is of schema {version}, this actbench reads {SCHEMA}: use the actbench that wrote it"
            )
        record = msgspec.json.decode(data, type=Record)
        seal = _seal(msgspec.json.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"{path} is damaged: {error}") from None
    fault = next(limits.faults(record), None)
    if fault is None and record.seal != seal:
        fault = "what it says of what was measured is not as it was written"
    if fault:
        raise damaged(f"{path} is damaged: {fault}")
    return record


SEALED = (
    *("plan", "checks", "calibrations", "digests", "rounds", "repeats"),
    *("id", "saves", "failures", "losses"),
)
"""The fields that nothing but measuring changes."""


def _seal(fields: Mapping[str, Any]) -> str:
    """Return the digest of a record as JSON has it: what a later actbench adds to the types leaves it as it is."""
    return sha256(msgspec.json.encode([fields.get(name) for name in SEALED], order="deterministic")).hexdigest()
