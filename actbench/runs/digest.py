"""What a run says of itself in run.json, without its plan and checks: enough to place it among hundreds of others.

Reading a record whole takes ten times as long. What is read here is not sealed in a record either.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from actbench.errors import damaged
from actbench.host import regular
from actbench.host.environment import Environment
from actbench.model.commit import Commit
from actbench.model.inputs import Inputs
from actbench.model.loaded import Loaded
from actbench.model.training import Optimizer
from actbench.runs.baseline import identity
from actbench.runs.names import RUN
from actbench.runs.record import Settings, Status, of_text, refuse_other_schema
from actbench.runs.validity import is_date


@dataclass(frozen=True, slots=True)
class Digest:
    """A run, as a history knows it."""

    path: Path
    """Its directory."""
    id: str
    created: str
    status: Status
    environment: Environment
    settings: Settings
    inputs: Inputs
    optimizer: Optimizer | None
    """None of a run of derivatives."""
    commit: Commit | None
    seconds: float
    """Wall time of all sessions."""
    loaded: tuple[Loaded, ...]
    """The user's code, in the order in which it was loaded."""

    @property
    def host(self) -> tuple[tuple[str, str], ...]:
        """What identifies its host: names and values."""
        return identity(self.environment)


class _TrainingDigest(msgspec.Struct):
    optimizer: Optimizer


class _PlanDigest(msgspec.Struct):
    inputs: Inputs = Inputs()
    training: _TrainingDigest | None = None


class _RunFields(msgspec.Struct):
    """The fields of run.json that are read; msgspec skips all others."""

    plan: _PlanDigest
    settings: Settings
    environment: Environment
    created: str
    status: Status
    id: str
    seconds: float = 0.0
    commit: Commit | None = None
    loaded: tuple[Loaded, ...] = ()


def read(directory: Path) -> Digest:
    """Read a run's; `InputError` where run.json is damaged, or of another schema. `OSError` where it is not there."""
    path = directory / RUN
    data = regular.read(path)
    refuse_other_schema(data, path)
    try:
        fields = msgspec.json.decode(data, type=_RunFields, dec_hook=of_text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"{path} is damaged: {error}") from None
    for text in _texts(fields):
        if not text.isprintable():
            raise damaged(f"{path} is damaged: a name or a version in it has characters that do not print")
    for date in (fields.created, *([fields.commit.date] if fields.commit else [])):
        if not is_date(date):
            raise damaged(f"{path} is damaged: '{date}' is not a time")
    training = fields.plan.training
    return Digest(
        path=directory,
        id=fields.id,
        created=fields.created,
        status=fields.status,
        environment=fields.environment,
        settings=fields.settings,
        inputs=fields.plan.inputs,
        optimizer=training.optimizer if training else None,
        commit=fields.commit,
        seconds=fields.seconds,
        loaded=fields.loaded,
    )


def _texts(fields: _RunFields) -> list[str]:
    """Return the texts of a run that a history shows."""
    environment: Any = fields.environment
    named = [environment.libraries, environment.variables, environment.devices]
    return [
        *(environment.cpu_model, environment.architecture, environment.kernel, environment.libc),
        *(environment.python, environment.actbench, fields.created, str(fields.plan.inputs)),
        *(text for pairs in named for pair in pairs.items() for text in pair),
        *([fields.commit.hash, fields.commit.date] if fields.commit else []),
        *(text for code in fields.loaded for text in (code.name, code.sha256, code.version or "")),
        *(text for code in fields.loaded for one in code.libraries for text in (one.path, one.sha256)),
    ]
