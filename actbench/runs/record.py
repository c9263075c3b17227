"""run.json: what was planned, where, with which settings, and how it went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from actbench.errors import InputError, damaged
from actbench.model import Calibration, Check, Failure, Loaded, Plan
from actbench.runs.environment import Environment

SCHEMA = 1
"""Version of the files of a run.

1: first.
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


class _Version(msgspec.Struct):
    schema: int


def encode(record: Record) -> bytes:
    """Return the record as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def decode(data: bytes, path: Path) -> Record:
    """Read a record; `InputError` names `path` when it is damaged or of a schema that is not known here."""
    try:
        version = msgspec.json.decode(data, type=_Version).schema
        if version != SCHEMA:
            raise InputError(
                f"{path} is of schema {version}, this actbench reads {SCHEMA}: use the actbench that wrote it"
            )
        record = msgspec.json.decode(data, type=Record)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise damaged(f"{path} is damaged: {error}") from None
    contradiction = next(_contradictions(record), None)
    if contradiction:
        raise damaged(f"{path} is damaged: {contradiction}")
    return record


def _contradictions(record: Record) -> Iterator[str]:
    """Say what cannot be true of a record that actbench wrote."""
    arms = {arm for block in record.plan.blocks for arm in block.arms}
    named = [
        msgspec.to_builtins([record.environment, record.loaded]),
        *((arm.strategy, arm.backend) for arm in arms),
        *((block.activation, *block.copies) for block in record.plan.blocks),
    ]
    if not all(text.isprintable() for text in _texts(named)):
        yield "a name or a version in it has characters that do not print"
    blocks = {block.id: block for block in record.plan.blocks}
    if not blocks or len(blocks) < len(record.plan.blocks):
        yield "its plan has no blocks, or one twice"
    for block in blocks.values():
        if not block.arms or len({*block.arms}) < len(block.arms) or block.size < 1:
            yield f"block {block.id} has no arms, or one twice, or no elements"
    for name, calibration in record.calibrations.items():
        counts = (*calibration.loops, *calibration.values, calibration.slices)
        if name not in blocks or min(counts, default=0) < 1:
            yield f"the calibration of {name} is not one of the plan's, or has a count below 1"
        elif {len(calibration.loops), len(calibration.values)} | ({len(calibration.probes)} - {0}) != {
            len(blocks[name].timed)
        }:
            yield f"the calibration of {name} is not for as many arms as the block has"


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in lists, tuples and dictionaries, keys as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from _texts(held)
