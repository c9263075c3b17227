"""run.json: the plan, the settings and the environment of a run, and its events."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import msgspec

from actbench.errors import InputError, damaged
from actbench.host.environment import Environment
from actbench.model.calibration import Calibration
from actbench.model.cases import Case, KernelId
from actbench.model.checks import Check, StepCheck
from actbench.model.commit import Commit
from actbench.model.loaded import Loaded
from actbench.model.outcomes import Failure
from actbench.model.plan import LeftOut, Plan
from actbench.model.public import public_text
from actbench.model.shard import Shard
from actbench.runs import validity, validity_training

SCHEMA = 2
"""Version of the files of a run.

1: first version. 2: with digests of the measurements, which reveal damage.
"""


class Status(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    """A kernel is wrong, and nothing of the run is left; or nothing could be measured at all."""


class Engine(StrEnum):
    """The way in which cases are timed."""

    INTERLEAVED = "interleaved"
    PYPERF = "pyperf"


@dataclass(frozen=True, slots=True)
class Settings:
    """The request beside the plan. Times are in seconds."""

    preset: str
    engine: Engine
    target: float
    """Relative half width of the intervals at which measuring stops."""
    budget: float | None
    rounds: int | None
    arm_seconds: float
    timeout: float
    threads: int = 1
    """Threads of multi-threaded backends, 1 where the plan has no such backend; of training steps as a whole."""
    budget_named: bool = False
    """Whether the user named the budget, which then may end the run before there are intervals."""


@dataclass(slots=True)
class Record:
    """The contents of run.json, updated while measuring."""

    plan: Plan
    settings: Settings
    environment: Environment
    created: str
    """UTC, ISO 8601."""
    schema: int = SCHEMA
    status: Status = Status.RUNNING
    seconds: float = 0.0
    """Wall time of all sessions of the run."""
    checks: list[Check] = field(default_factory=list)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    rounds: int = 0
    """The number of the last complete round."""
    repeats: int = 0
    """How often a block was measured again because a round of it was disturbed."""
    loaded: list[Loaded] = field(default_factory=list)
    """The user's code, in the order in which it was loaded; files by name, without directories."""
    losses: list[Failure] = field(default_factory=list)
    """Failures of blocks that were tried again afterwards."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    """16 random hexadecimal digits that identify the run."""
    saves: int = 0
    """How often all files were written; the lines of the journal follow the last save."""
    step_checks: list[StepCheck] = field(default_factory=list)
    """Of training steps."""
    parts: dict[str, dict[int, list[list[float]]]] = field(default_factory=dict)
    """By block of training steps and round, the seconds of the parts of a step (`StepPart`), by arm."""
    digests: dict[str, dict[int, str]] = field(default_factory=dict)
    """By block and round, the digest of its rows in values.csv; of a probe, in probes.csv."""
    commit: Commit | None = None
    """Of the repository in which the run was begun; None outside of one."""
    shard: Shard | None = None
    """The part of a plan that it measures; None where it made its plan itself."""
    merged: list[list[str]] = field(default_factory=list)
    """Of a run that joins the runs of shards, the ids of the blocks of each; of any other run nothing."""
    seal: str = ""
    """The digest of the fields in `SEALED`; all other fields, such as the environment, may be corrected by hand."""

    def leave_out(self, left_out: Sequence[LeftOut]) -> None:
        """Leave cases out, with all that is recorded of them but the code of those that failed or lost."""
        larger, self.plan = self.plan, self.plan.without(self._with_codes(left_out))
        places = self.plan.places_in(larger)
        self.calibrations = {
            name: calibration.of_arms(places[name]) for name, calibration in self.calibrations.items() if name in places
        }
        self.parts = {
            name: {
                number: [arms[place] for place in places[name] if place < len(arms)] for number, arms in rounds.items()
            }
            for name, rounds in self.parts.items()
            if name in places
        }
        kernels, steps = {*self.plan.kernels}, {*self.plan.steps}
        self.checks = [check for check in self.checks if check.kernel in kernels]
        self.step_checks = [check for check in self.step_checks if check.case in steps]
        self.failures, self.losses = (
            [failure for failure in of_blocks if failure.block in places] for of_blocks in (self.failures, self.losses)
        )

    def note_check(self, check: Check) -> None:
        """Take down the check of a kernel, in place of an earlier one: a session repeats all where some lack."""
        self.checks = [*(kept for kept in self.checks if kept.kernel != check.kernel), check]

    def note_step_check(self, check: StepCheck) -> None:
        """Take down the check of a training step, likewise."""
        self.step_checks = [*(kept for kept in self.step_checks if kept.case != check.case), check]

    @property
    def codes(self) -> dict[KernelId, str]:
        """The digests of what kernels and training steps execute, as far as their checks have them."""
        of_checks = {check.kernel: check.code for check in self.checks if check.code}
        return of_checks | {check.kernel: check.code for check in self.step_checks if check.code}

    def _with_codes(self, left_out: Iterable[LeftOut]) -> list[LeftOut]:
        """Return cases with the code of those that failed or lost, unless it is with them already."""
        codes = self.codes
        return [
            replace(one, code=one.code or codes.get(Case.parse(one.case).kernel)) if one.failed or one.lost else one
            for one in left_out
        ]

    def withdraw(self, names: Collection[str], rounds: int) -> None:
        """Forget what is recorded of these blocks and probes, which leaves so many rounds, and all checks.

        Where the run goes on, everything is checked again: something that had passed turned out to be wrong.
        """
        self.checks, self.step_checks = [], []
        self.rounds = min(self.rounds, rounds)
        self.calibrations = {name: known for name, known in self.calibrations.items() if name not in names}
        self.parts = {name: of_block for name, of_block in self.parts.items() if name not in names}

    def note_parts(self, block: str, number: int, seconds: Sequence[Sequence[float]]) -> None:
        """Take down the seconds of the parts of a block's training steps in a round, by arm."""
        self.parts.setdefault(block, {})[number] = [[*of_arm] for of_arm in seconds]

    @property
    def probed(self) -> bool:
        """Whether the plan's probes are measured; stock pyperf omits them."""
        return any(block.id in self.calibrations for block in self.plan.probes)


class _Version(msgspec.Struct):
    schema: int


def encode(record: Record) -> bytes:
    """Return the record as indented JSON, sealed; a file of inputs by its name, without directories."""
    inputs = replace(record.plan.inputs, file=public_text(record.plan.inputs.file))
    public = replace(record, plan=replace(record.plan, inputs=inputs))
    fields = msgspec.to_builtins(public, str_keys=True, enc_hook=str)
    record.seal = fields["seal"] = _seal(fields)
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def of_text(kind: type[Any], text: Any) -> Any:
    """Return a value from its text in a record, for msgspec; `ValueError` where the text is invalid."""
    if not isinstance(text, str):
        raise ValueError(f"Expected `str`, got `{type(text).__name__}`")  # noqa: TRY004  # msgspec's own words
    try:
        return kind(text)
    except InputError as error:
        raise ValueError(str(error)) from None


def decode(data: bytes, path: Path) -> Record:
    """Read a record; `InputError` names `path` where it is damaged, or of an unknown schema."""
    refuse_other_schema(data, path)
    try:
        record = msgspec.json.decode(data, type=Record, dec_hook=of_text)
        seal = _seal(msgspec.json.decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"{path} is damaged: {error}") from None
    record.step_checks = [*_with_batches(record)]
    fault = next(chain(validity_training.faults(record), validity.faults(record)), None)
    if fault is None and record.seal != seal:
        fault = "what it says of what was measured is not as it was written"
    if fault:
        raise damaged(f"{path} is damaged: {fault}")
    return record


def _with_batches(record: Record) -> Iterator[StepCheck]:
    """Yield the checks with their batches, which older records lack: there, they are in the order of the steps."""
    for check, step in zip_longest(record.step_checks, record.plan.steps[: len(record.step_checks)]):
        yield replace(check, batch=step.size) if step and not check.batch else check


def refuse_other_schema(data: bytes, path: Path) -> None:
    """Raise `InputError` for a run.json of another schema, or without one."""
    try:
        version = msgspec.json.decode(data, type=_Version).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"{path} is damaged: {error}") from None
    if version != SCHEMA:
        raise InputError(f"{path} is of schema {version}, this actbench reads {SCHEMA}: use the actbench that wrote it")


SEALED = (
    *("plan", "checks", "calibrations", "digests", "rounds", "repeats"),
    *("id", "saves", "failures", "losses"),
)
"""The fields that only measuring changes."""

SEALED_SINCE = ("step_checks", "parts", "shard", "merged")
"""Further such fields, which records of before do not have."""


def _seal(fields: Mapping[str, Any]) -> str:
    """Return the digest of a record's JSON; fields that later versions add to the types do not change it."""
    sealed = [fields.get(name) for name in SEALED]
    sealed += [fields[name] for name in SEALED_SINCE if fields.get(name)]
    return sha256(msgspec.json.encode(sealed, order="deterministic")).hexdigest()
