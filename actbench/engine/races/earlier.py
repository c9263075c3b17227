"""What runs that are on disk already say about races.

A run counts for a block where it was made on this host, with these versions, on the same inputs, and measured all arms
of the block together, or until they had lost to another of them. The tests of a race hold whenever measuring stops:
what was decided stays decided, with its error, and rounds of several runs are rounds of one race.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from actbench.analysis.races import BlockEvidence
from actbench.analysis.statistics import Floats
from actbench.engine.races.racing import joined
from actbench.errors import InputError, listed
from actbench.model.cases import Arm, Block, Case
from actbench.model.plan import LostRace, Plan
from actbench.model.times import Times
from actbench.runs import archive, latest
from actbench.runs.archive import Run
from actbench.runs.baseline import differences, host_differences
from actbench.runs.names import RUN
from actbench.runs.record import Record, Status


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run that says something."""

    path: Path
    created: str
    """UTC, ISO 8601."""
    foreign: tuple[str, ...]
    """What differs from here, a sentence each; nothing but in a run that the user names."""


@dataclass(slots=True)
class EarlierRuns:
    """What earlier runs say."""

    runs: list[EarlierRun] = field(default_factory=list)
    """Those that say something, the earliest first."""
    by_block: dict[str, BlockEvidence] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """Why runs that the user did not name cannot be read, a sentence each."""

    @property
    def paths(self) -> list[Path]:
        """The directories of those that say something."""
        return [run.path for run in self.runs]

    @property
    def are_foreign(self) -> bool:
        """Whether a run differs from here in host or versions, so that no rounds of here continue it."""
        return any(run.foreign for run in self.runs)


def found_here() -> list[Path]:
    """Return the directories of the runs under results/, the earliest first."""
    runs = [path.parent for path in latest.RESULTS.glob(f"*/{RUN}") if not path.parent.is_symlink()]
    return sorted(runs, key=lambda path: (path / RUN).stat().st_mtime)


def evidence(directories: Iterable[Path], here: Record, *, named: bool, apart: bool) -> EarlierRuns:
    """Return what runs say about the blocks of what would be measured, `here`; with `apart`, about each backend alone.

    Runs that the user names count wherever they were made, and raise `InputError` where they cannot be read.
    """
    known = EarlierRuns()
    collected = [_Collected(block, apart) for block in here.plan.blocks]
    for path in directories:
        try:
            directory = _target(path)
            run = archive.load_timed(directory) if named or _may_count(directory, here) else None
        except InputError as error:
            if named:
                raise
            known.unreadable.append(str(error))
            continue
        if run is None or not _same_conditions(run.record, here):
            continue
        assert run.record is not None  # noqa: S101  # its conditions are known
        counting = [of_block for of_block in collected if of_block.takes(run)]
        if counting:
            foreign = _foreign(run.path, run.record, here)
            known.runs.append(EarlierRun(directory, run.record.created, tuple(foreign)))
    known.by_block = {of_block.block.id: of_block.evidence for of_block in collected if of_block.parts}
    return known


OF_RACES = {
    "activation": "activation",
    "op": "op",
    "dtype": "dtype",
    "size": "size",
    "operands": "state of operands",
}
"""What cases of a race share, in words."""

OF_TRAINING_RACES = OF_RACES | {"op": "training step of", "size": "batch of"}
"""The same of training steps, whose op is a network, and whose size is a number of rows."""


def why_nothing(directory: Path, here: Record) -> str:
    """Return why a run says nothing about the races of what would be measured, as a clause."""
    run = archive.load_timed(directory)
    if bool(run.plan.training) is not bool(here.plan.training):
        networks = dict.fromkeys(str(block.op) for block in run.plan.blocks)
        return (
            f"it has training steps alone, of {listed([*networks])}"
            if run.plan.training
            else "it has no training steps"
        )
    for name, what in (OF_TRAINING_RACES if here.plan.training else OF_RACES).items():
        sought, there = (
            [*dict.fromkeys(getattr(block, name) for block in plan.blocks)] for plan in (here.plan, run.plan)
        )
        if not {*sought} & {*there}:
            return f"it has no {what} {listed([*map(str, sought)])}, but {listed([*map(str, there)])}"
    if not _same_conditions(run.record, here):
        return "its inputs, engine, optimizer or number of threads are not those of here"
    for name in ("backend", "strategy"):
        sought, there = (
            [*dict.fromkeys(str(getattr(arm, name)) for arm in _arms(plan))] for plan in (here.plan, run.plan)
        )
        if missing := [one for one in sought if one not in there]:
            return f"it has no {name} {listed(missing)}, but {listed(there)}"
    return "it has not all of these strategies and backends on such operands"


def _arms(plan: Plan) -> list[Arm | Case]:
    """Return the arms that were measured, and the cases of those that lost before."""
    lost = [Case.parse(one.case) for one in plan.left_out if one.lost]
    return [*(arm for block in plan.blocks for arm in block.arms), *lost]


def _target(directory: Path) -> Path:
    """Return the directory that ``latest`` means now, since later it means another one; any other path as it is."""
    if not latest.is_meant(directory):
        return directory
    return latest.target(latest.LATEST) or latest.complete()


@dataclass(slots=True)
class _Collected:
    """What was collected of a block so far."""

    block: Block
    apart: bool
    lost: dict[Arm, LostRace] = field(default_factory=dict)
    parts: list[tuple[tuple[Arm, ...], Floats]] = field(default_factory=list)
    """The arms and the seconds of each run that counts."""

    def takes(self, run: Run) -> bool:
        """Take what a run says; return whether it counts."""
        measured = _alike(self.block, run.times.blocks)
        if measured is None:
            return False
        lost = {arm: race for arm, race in self._lost_in(run).items() if arm not in measured.arms}
        racing = {*self.block.arms} - {*lost, *self.lost}
        if not racing or not racing <= {*measured.arms}:  # runs whose losers are each other's winners say nothing
            return False
        self.lost |= lost
        self.parts.append((measured.arms, run.times.seconds(measured)))
        return True

    @property
    def evidence(self) -> BlockEvidence:
        """What all runs say together."""
        arms = tuple(arm for arm in self.block.arms if arm not in self.lost)
        seconds = [of_run[:, [its.index(arm) for arm in arms]] for its, of_run in self.parts]
        return BlockEvidence(arms, joined(seconds), self.lost)

    def _lost_in(self, run: Run) -> dict[Arm, LostRace]:
        """Return the arms that lost in a run to another arm of their race."""
        arms = {case.id: arm for case, arm in zip(self.block.cases, self.block.arms, strict=True)}
        lost = {arms[one.case]: one.lost for one in run.plan.left_out if one.lost and one.case in arms}
        return {
            arm: race
            for arm, race in lost.items()
            if race.leader in arms and not (self.apart and arms[race.leader].backend != arm.backend)
        }


def _alike(block: Block, blocks: Iterable[Block]) -> Block | None:
    """Return the block that is measured under the same conditions; None where there is none."""
    alike = (one for one in blocks if one.conditions == block.conditions)
    return next((one for one in alike if _has_as_many_threads(one, block)), None)


def _has_as_many_threads(one: Block, other: Block) -> bool:
    """Return whether the backends that two blocks share have several threads in both, or in neither."""
    shared = {arm.backend for arm in one.arms} & {arm.backend for arm in other.arms}
    return shared & {*one.copies} == shared & {*other.copies}


def _may_count(directory: Path, here: Record) -> bool:
    """Return whether a run was made here, and has a block of those that would be measured; `InputError` as it is read.

    Its measurements, which may be many, are not read for that.
    """
    record = archive.read_record(directory)
    return (
        record.status is not Status.REFUSED
        and _same_conditions(record, here)
        and any(_alike(block, record.plan.blocks) for block in here.plan.blocks)
        and not _foreign(directory, record, here)
    )


def _foreign(path: Path, record: Record, here: Record) -> list[str]:
    """Return what differs between the host and the versions of a run and those of here."""
    there, now = (Run(path, one.plan, Times(one.plan), one, {}) for one in (record, here))
    hosts = [f"{name} was {was}, is {name_now}" for name, was, name_now in host_differences(there, now)]
    return [*hosts, *differences(there, now)]


def _same_conditions(record: Record | None, here: Record) -> bool:
    """Return whether inputs, engine, optimizer and threads are those of here."""
    if record is None or record.plan.inputs != here.plan.inputs:
        return False
    optimizers = [plan.training.optimizer if plan.training else None for plan in (record.plan, here.plan)]
    there, now = record.settings, here.settings
    return (there.engine, there.threads) == (now.engine, now.threads) and optimizers[0] is optimizers[1]
