"""The file of a plan, which ``actbench run --dry-run --format json`` prints, for shards of it or for other hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec

from actbench.errors import InputError, damaged, reason
from actbench.host import regular
from actbench.model.loaded import Loaded
from actbench.model.plan import Plan
from actbench.model.public import public_text
from actbench.runs.record import of_text

SCHEMA = 2
"""Version of the file. 1: first version. 2: blocks have copies as a kernel could make them."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan with what else decides how it is measured."""

    plan: Plan
    preset: str
    arm_seconds: float
    """Intended time of an arm per round."""
    threads: int | None
    """Number of threads that was asked for; None where none was."""
    loaded: tuple[Loaded, ...]
    """The user's code that it needs."""
    actbench: str
    """The version that made it."""
    schema: int = SCHEMA
    digest: str = ""
    """Of all other fields, which identifies the plan."""


def encode(plan: PlanFile) -> bytes:
    """Return a plan as indented JSON; a file of inputs by its name, without directories."""
    inputs = replace(plan.plan.inputs, file=public_text(plan.plan.inputs.file))
    public = replace(plan, plan=replace(plan.plan, inputs=inputs))
    return msgspec.json.format(_json(replace(public, digest=_digest(public))), indent=2) + b"\n"


def decode(data: bytes, name: str) -> PlanFile:
    """Read a plan; `InputError` names it where it is no plan, was changed, or is of another schema."""
    again = "make it again with 'actbench run --dry-run --format json'"
    try:
        plan = msgspec.json.decode(data, type=PlanFile, dec_hook=of_text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name} is not the file of a plan: {error}; {again}") from None
    if plan.schema != SCHEMA:
        raise InputError(f"{name} is a plan of schema {plan.schema}, this actbench reads {SCHEMA}; {again}")
    if plan.digest != _digest(plan):
        raise damaged(f"{name} is not as it was written")
    return plan


def read(path: Path) -> PlanFile:
    """Read the plan in a file; `InputError` where there is none."""
    try:
        return decode(regular.read(path), str(path))
    except OSError as error:
        raise InputError(f"--plan: cannot read {path}: {reason(error)}") from None


def _digest(plan: PlanFile) -> str:
    return sha256(_json(replace(plan, digest=""))).hexdigest()


def _json(plan: PlanFile) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(plan, str_keys=True, enc_hook=str), order="deterministic")
